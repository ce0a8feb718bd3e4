#include "text/normalize/normalizer.h"
#include "text/unicode/properties.h"

namespace braid::text {
namespace {

class StripAccents final : public Normalizer {
 public:
  Piece apply(const Piece& piece, Arena& arena) const override {
    return filter(
        piece, [](char32_t c) { return (unicode::classes(c) & unicode::kM) == 0; }, arena);
  }
};

}  // namespace

std::unique_ptr<Normalizer> make_strip_accents(const Json&, const Limits&) { return std::make_unique<StripAccents>(); }

}  // namespace braid::text
