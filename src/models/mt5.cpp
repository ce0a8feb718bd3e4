// mT5 (arXiv:2010.11934): T5 1.1 for many languages; its output is not scaled, whatever its configs say of ties.

#include "models/blocks/t5.h"
#include "models/family.h"

namespace braid {

Blueprint mt5_family(const Config& config) {
  T5Sizes sizes(config.with_defaults(R"({"d_ff": 1024, "num_layers": 8, "num_heads": 6, "vocab_size": 250112,
                                         "feed_forward_proj": "gated-gelu"})"));
  sizes.scaled_output = false;
  return t5_like(config, sizes, {.name = "MT5"});
}

}  // namespace braid
