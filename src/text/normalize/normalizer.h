#pragma once
// Normalisers rewrite text before it is cut; offsets stay those of the original text. One file per kind, one line in
// list.inc.

#include <memory>

#include "core/json.h"
#include "text/base/piece.h"

namespace braid::text {

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  virtual Piece apply(const Piece& piece, Arena& arena) const = 0;
};

/// The normaliser that a node of tokenizer.json describes. Throws Error naming the kind for unknown ones.
std::unique_ptr<Normalizer> read_normalizer(const Json& node, const Limits& limits);

}  // namespace braid::text
