#include "text/base/kinds.h"
#include "text/decode/decoder.h"
#include "text/unicode/utf8.h"

namespace braid::text {
namespace {

/// Up to `start` and `stop` times the character goes from the ends of each token.
class Strip final : public Decoder {
 public:
  Strip(std::string content, uint64_t start, uint64_t stop)
      : content_(std::move(content)), start_(start), stop_(stop) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) {
      std::string_view rest = token;
      for (uint64_t i = 0; i < start_ && rest.starts_with(content_); ++i) rest.remove_prefix(content_.size());
      for (uint64_t i = 0; i < stop_ && rest.ends_with(content_); ++i) rest.remove_suffix(content_.size());
      token = std::string(rest);
    }
  }

 private:
  std::string content_;
  uint64_t start_, stop_;
};

}  // namespace

std::unique_ptr<Decoder> make_strip_decoder(const Json& node, const Limits&) {
  std::string content;
  utf8::append(content, character_member(node, "content"));
  return std::make_unique<Strip>(std::move(content), node.at("start").as_uint(), node.at("stop").as_uint());
}

}  // namespace braid::text
