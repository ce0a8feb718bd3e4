#include "text/base/kinds.h"
#include "text/decode/decoder.h"
#include "text/unicode/utf8.h"

namespace braid::text {
namespace {

/// ▁ becomes a space again, but for those of the first token when the pre-tokeniser put one there.
class Metaspace final : public Decoder {
 public:
  Metaspace(std::string replacement, bool prepended) : replacement_(std::move(replacement)), prepended_(prepended) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i)
      tokens[i] = replaced(tokens[i], replacement_, i == 0 && prepended_ ? "" : " ");
  }

 private:
  std::string replacement_;
  bool prepended_;
};

}  // namespace

std::unique_ptr<Decoder> make_metaspace_decoder(const Json& node, const Limits&) {
  std::string replacement;
  utf8::append(replacement, character_member(node, "replacement"));
  const bool prepended =
      flag(node, "add_prefix_space", true) && string_member(node, "prepend_scheme", "always") != "never";
  return std::make_unique<Metaspace>(std::move(replacement), prepended);
}

}  // namespace braid::text
