// RoBERTa (arXiv:1907.11692): BERT's encoder, positions that count from the padding token.

#include "models/blocks/roberta.h"

#include "models/family.h"

namespace braid {

Blueprint roberta_family(const Config& config) { return roberta_like(config, "Roberta"); }

}  // namespace braid
