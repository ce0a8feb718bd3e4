#include "text/process/post_processor.h"

namespace braid::text {
namespace {

class Sequence final : public PostProcessor {
 public:
  explicit Sequence(std::vector<std::unique_ptr<PostProcessor>> steps) : steps_(std::move(steps)) {}
  void apply(std::vector<Segment>& segments, bool add_special) const override {
    for (const auto& step : steps_) step->apply(segments, add_special);
  }
  bool reads_blanks() const override {
    for (const auto& step : steps_) {
      if (step->reads_blanks()) return true;
    }
    return false;
  }

 private:
  std::vector<std::unique_ptr<PostProcessor>> steps_;
};

}  // namespace

std::unique_ptr<PostProcessor> make_processor_sequence(const Json& node, const Limits& limits) {
  const Json list = node.at("processors");
  std::vector<std::unique_ptr<PostProcessor>> steps;
  for (size_t i = 0; i < list.size(); ++i) steps.push_back(read_post_processor(list[i], limits));
  return std::make_unique<Sequence>(std::move(steps));
}

}  // namespace braid::text
