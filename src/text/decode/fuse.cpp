#include "text/decode/decoder.h"

namespace braid::text {
namespace {

class Fuse final : public Decoder {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::string text;
    for (const std::string& token : tokens) text += token;
    tokens.assign(1, std::move(text));
  }
};

}  // namespace

std::unique_ptr<Decoder> make_fuse(const Json&, const Limits&) { return std::make_unique<Fuse>(); }

}  // namespace braid::text
