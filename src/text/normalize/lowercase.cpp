#include "text/normalize/lowercase.h"

#include "text/normalize/normalizer.h"
#include "text/unicode/properties.h"
#include "text/unicode/utf8.h"

namespace braid::text {
namespace {

class Lowercase final : public Normalizer {
 public:
  Piece apply(const Piece& piece, Arena& arena) const override { return lowercase(piece, arena); }
};

}  // namespace

Piece lowercase(const Piece& piece, Arena& arena) {
  constexpr std::string_view kGrows = "İ";  // the one character whose lower case is two
  if (piece.text.find(kGrows) == std::string_view::npos) return map(piece, unicode::simple_lowercase, arena);
  std::vector<unicode::Change> changes;
  changes.reserve(piece.text.size());
  for (size_t at = 0; at < piece.text.size();) {
    const utf8::Character c = utf8::decode(piece.text, at);
    at += c.bytes;
    int32_t change = 0;
    for (const char32_t lower : unicode::lowercase(c.code_point)) changes.push_back({lower, change}), change = 1;
  }
  return rewrite(piece, changes, 0, arena);
}

std::unique_ptr<Normalizer> make_lowercase(const Json&, const Limits&) { return std::make_unique<Lowercase>(); }

}  // namespace braid::text
