// mBART (arXiv:2001.08210): BART for many languages, with LayerNorm before each block.

#include "models/blocks/bart_like.h"
#include "models/family.h"

namespace braid {

Blueprint mbart_family(const Config& config) {
  return bart_like(config, {.architecture = "MBartForConditionalGeneration", .pre_norm = true, .embedding_norm = true});
}

}  // namespace braid
