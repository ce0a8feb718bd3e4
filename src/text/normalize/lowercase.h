#pragma once
// Lower case, which BertNormalizer needs as well.

#include "text/base/piece.h"

namespace braid::text {

/// Each character's full lower-case mapping, without context (a final sigma is not special).
Piece lowercase(const Piece& piece, Arena& arena);

}  // namespace braid::text
