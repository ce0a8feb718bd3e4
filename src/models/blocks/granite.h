#pragma once
// What IBM's Granite models share: factors on all that flows, as in maximal update parametrisation (arXiv:2203.03466),
// and mixtures whose experts lie in two tensors.

#include <string>

#include "models/blocks/llama_like.h"

namespace braid {

/// Llama with attention_multiplier, embedding_multiplier and residual_multiplier.
LlamaLike granite_like(const Config& config);
/// NAMEForCausalLM and its sisters; logits divided by logits_scaling.
Decoder granite_decoder(std::string name, const Config& config, const LlamaLike& c);

/// SCOPE.block_sparse_moe(x) + SCOPE.shared_mlp(x): x (tokens, width) → (tokens, width). There are no experts where
/// num_local_experts is 0, and no shared one where shared_intermediate_size is 0.
class GraniteMixture {
 public:
  explicit GraniteMixture(const Config& config);
  Value operator()(const Scope& layer, Value x) const;

 private:
  Mixture experts_ = {};
  Mlp shared_;
};

}  // namespace braid
