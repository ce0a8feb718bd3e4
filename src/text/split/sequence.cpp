#include <vector>

#include "text/split/pre_tokenizer.h"

namespace braid::text {
namespace {

class Sequence final : public PreTokenizer {
 public:
  explicit Sequence(std::vector<std::unique_ptr<PreTokenizer>> steps) : steps_(std::move(steps)) {}
  void apply(PreTokenized& text) const override {
    for (const auto& step : steps_) {
      text.spell();  // a step after ByteLevel sees the spelt bytes
      step->apply(text);
    }
  }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> steps_;
};

}  // namespace

std::unique_ptr<PreTokenizer> make_pre_tokenizer_sequence(const Json& node, const Limits& limits) {
  const Json list = node.at("pretokenizers");
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  for (size_t i = 0; i < list.size(); ++i) steps.push_back(read_pre_tokenizer(list[i], limits));
  return std::make_unique<Sequence>(std::move(steps));
}

}  // namespace braid::text
