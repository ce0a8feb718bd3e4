#pragma once
// RoBERTa's own: what its copies under other names share.

#include <string_view>

#include "models/blocks/heads.h"

namespace braid {

/// RoBERTa (arXiv:1907.11692): BERT whose positions count from the padding token, with heads of its own. `name` is that
/// of the classes ("XLMRoberta").
Blueprint roberta_like(const Config& config, std::string_view name);
/// RoBERTa's masked-LM head, `lm_head`: dense, gelu, norm, the table with a bias → (rows, vocabulary).
Value roberta_lm_head(const Scope& root, const Scope& table, Value x, int64_t vocabulary, double epsilon);
/// What RoBERTa's sequence classifier reads: tanh(classifier.dense(first token)).
Value roberta_summary(const Scope& root, const Step& t, Value x);

}  // namespace braid
