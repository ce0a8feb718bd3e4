// T5 (arXiv:1910.10683) and T5 1.1: text to text.

#include "models/blocks/t5.h"

#include "models/family.h"

namespace braid {

Blueprint t5_family(const Config& config) { return t5_like(config, T5Sizes(config), {.name = "T5"}); }

}  // namespace braid
