#include "text/normalize/normalizer.h"

namespace braid::text {
namespace {

/// SentencePiece's nmt rules: most control characters go, other spaces and a few marks become a space.
class Nmt final : public Normalizer {
 public:
  Piece apply(const Piece& piece, Arena& arena) const override {
    const auto kept = [](char32_t c) {
      return !((c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || c == 0x8F ||
               c == 0x9F);
    };
    const auto mapped = [](char32_t c) -> char32_t {
      const bool space = c == 0x09 || c == 0x0A || c == 0x0C || c == 0x0D || c == 0x1680 ||
                         (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF ||
                         c == 0xFFFD;
      return space ? U' ' : c;
    };
    return map(filter(piece, kept, arena), mapped, arena);
  }
};

}  // namespace

std::unique_ptr<Normalizer> make_nmt(const Json&, const Limits&) { return std::make_unique<Nmt>(); }

}  // namespace braid::text
