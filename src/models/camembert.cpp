// CamemBERT (arXiv:1911.03894): RoBERTa for French.

#include "models/blocks/roberta.h"
#include "models/family.h"

namespace braid {

Blueprint camembert_family(const Config& config) { return roberta_like(config, "Camembert"); }

}  // namespace braid
