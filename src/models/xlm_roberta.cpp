// XLM-RoBERTa (arXiv:1911.02116): RoBERTa for a hundred languages.

#include "models/blocks/roberta.h"
#include "models/family.h"

namespace braid {

Blueprint xlm_roberta_family(const Config& config) { return roberta_like(config, "XLMRoberta"); }

}  // namespace braid
