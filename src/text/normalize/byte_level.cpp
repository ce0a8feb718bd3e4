#include "text/normalize/normalizer.h"

namespace braid::text {
namespace {

class ByteLevel final : public Normalizer {
 public:
  Piece apply(const Piece& piece, Arena& arena) const override {
    return piece.empty() ? piece : spell_bytes(piece, arena);
  }
};

}  // namespace

std::unique_ptr<Normalizer> make_byte_level_normalizer(const Json&, const Limits&) {
  return std::make_unique<ByteLevel>();
}

}  // namespace braid::text
