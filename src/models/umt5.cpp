// umT5 (arXiv:2304.09151): T5 1.1 for many languages, with biases by distance in every layer.

#include "models/blocks/t5.h"
#include "models/family.h"

namespace braid {

Blueprint umt5_family(const Config& config) {
  T5Sizes sizes(config.with_defaults(R"({"d_ff": 1024, "num_layers": 8, "num_heads": 6, "vocab_size": 250112,
                                         "feed_forward_proj": "gated-gelu"})"));
  sizes.scaled_output = true;  // whatever its configs say of ties
  return t5_like(config, sizes, {.name = "UMT5", .bias_per_layer = true});
}

}  // namespace braid
