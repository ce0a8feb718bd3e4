#include "text/base/kinds.h"
#include "text/normalize/normalizer.h"

namespace braid::text {
namespace {

class Prepend final : public Normalizer {
 public:
  explicit Prepend(std::string prefix) : prefix_(std::move(prefix)) {}
  Piece apply(const Piece& piece, Arena& arena) const override { return prepend(piece, prefix_, arena); }

 private:
  std::string prefix_;
};

}  // namespace

std::unique_ptr<Normalizer> make_prepend(const Json& node, const Limits&) {
  return std::make_unique<Prepend>(std::string(node.at("prepend").as_string()));
}

}  // namespace braid::text
