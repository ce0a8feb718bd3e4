#include <vector>

#include "text/normalize/normalizer.h"

namespace braid::text {
namespace {

class Sequence final : public Normalizer {
 public:
  explicit Sequence(std::vector<std::unique_ptr<Normalizer>> steps) : steps_(std::move(steps)) {}
  Piece apply(const Piece& piece, Arena& arena) const override {
    Piece current = piece;
    for (const auto& step : steps_) current = step->apply(current, arena);
    return current;
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> steps_;
};

}  // namespace

std::unique_ptr<Normalizer> make_normalizer_sequence(const Json& node, const Limits& limits) {
  const Json list = node.at("normalizers");
  std::vector<std::unique_ptr<Normalizer>> steps;
  for (size_t i = 0; i < list.size(); ++i) steps.push_back(read_normalizer(list[i], limits));
  return std::make_unique<Sequence>(std::move(steps));
}

}  // namespace braid::text
