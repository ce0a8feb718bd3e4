#include "text/decode/decoder.h"

namespace braid::text {
namespace {

class Sequence final : public Decoder {
 public:
  explicit Sequence(std::vector<std::unique_ptr<Decoder>> steps) : steps_(std::move(steps)) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (const auto& step : steps_) step->apply(tokens);
  }

 private:
  std::vector<std::unique_ptr<Decoder>> steps_;
};

}  // namespace

std::unique_ptr<Decoder> make_decoder_sequence(const Json& node, const Limits& limits) {
  const Json list = node.at("decoders");
  std::vector<std::unique_ptr<Decoder>> steps;
  for (size_t i = 0; i < list.size(); ++i) steps.push_back(read_decoder(list[i], limits));
  return std::make_unique<Sequence>(std::move(steps));
}

}  // namespace braid::text
