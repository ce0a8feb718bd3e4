#pragma once
// BART (arXiv:1910.13461) and those who kept its modules: an encoder of tokens and a decoder that attends to it.

#include <string>

#include "files/config.h"

namespace braid {

struct Blueprint;

struct BartKind {
  std::string architecture;     ///< "BartForConditionalGeneration"
  bool pre_norm = false;        ///< blocks norm what they read, and the last layer's result is normed
  bool embedding_norm = false;  ///< layernorm_embedding behind the sum of embeddings
  bool sines = false;           ///< fairseq's sines for positions, in place of a learned table
};
/// Entries "encode" and "decode". Defaults of the config are BART's where `given` has none.
Blueprint bart_like(const Config& given, const BartKind& kind);

}  // namespace braid
