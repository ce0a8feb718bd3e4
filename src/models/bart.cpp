// BART (arXiv:1910.13461): learned positions, LayerNorm after each block.

#include "models/blocks/bart_like.h"
#include "models/family.h"

namespace braid {

Blueprint bart_family(const Config& config) {
  return bart_like(config, {.architecture = "BartForConditionalGeneration", .embedding_norm = true});
}

}  // namespace braid
