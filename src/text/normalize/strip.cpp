#include "text/base/kinds.h"
#include "text/normalize/normalizer.h"
#include "text/unicode/properties.h"
#include "text/unicode/utf8.h"

namespace braid::text {
namespace {

/// Spaces at either end go. A cut, not a rewriting: what stays keeps its origin.
class Strip final : public Normalizer {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}
  Piece apply(const Piece& piece, Arena&) const override {
    size_t begin = 0, end = piece.text.size();
    while (left_ && begin < end) {
      const utf8::Character c = utf8::decode(piece.text, begin);
      if (!unicode::is_space(c.code_point)) break;
      begin += c.bytes;
    }
    while (right_ && end > begin) {
      const size_t last = utf8::previous(piece.text, end);
      if (!unicode::is_space(utf8::decode(piece.text, last).code_point)) break;
      end = last;
    }
    return piece.slice(begin, end);
  }

 private:
  bool left_, right_;
};

}  // namespace

std::unique_ptr<Normalizer> make_strip_normalizer(const Json& node, const Limits&) {
  return std::make_unique<Strip>(node.at("strip_left").as_bool(), node.at("strip_right").as_bool());
}

}  // namespace braid::text
