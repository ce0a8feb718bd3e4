// M2M-100 (arXiv:2010.11125) and NLLB (arXiv:2207.04672): translation between any two of many languages.

#include "models/blocks/bart_like.h"
#include "models/family.h"

namespace braid {

Blueprint m2m_100_family(const Config& config) {
  return bart_like(config.with_defaults(R"({"vocab_size": 128112, "activation_function": "relu",
                                       "scale_embedding": true})"),
                   {.architecture = "M2M100ForConditionalGeneration", .pre_norm = true, .sines = true});
}

}  // namespace braid
