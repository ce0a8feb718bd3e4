#pragma once
// DeepSeek's mixtures of experts, and the decoder that has them behind latent attention.

#include "models/blocks/decoder.h"
#include "models/blocks/mla.h"

namespace braid {

/// The first layers are dense; in the others experts that every token takes stand beside the mixture.
struct DeepseekMixture {
  /// By the keys n_routed_experts, n_shared_experts, moe_intermediate_size, first_k_dense_replace … `routing` has what
  /// the family gives; the number of chosen experts and the scale are read here.
  DeepseekMixture(const Config& config, Routing routing, bool correction);
  Value operator()(const Scope& m, int64_t layer, Value x) const;

  Mixture experts;
  bool correction;  ///< the bias SCOPE.gate.e_score_correction_bias takes part in the choice
  Mlp dense, shared;
  int64_t first, interval;  ///< first layer that is a mixture; every so many
};
/// DeepSeek-V3's routing (arXiv:2412.19437), also GLM-4.5's: sigmoid scores, and groups judged by their two best.
Routing grouped_sigmoid_routing(const Config& config);
/// Patterns of the tensors of layers behind the last, which predict further tokens (num_nextn_predict_layers).
std::vector<std::string> prediction_layers(const Config& config, std::string_view layers);

/// NAMEForCausalLM and its sisters.
Decoder deepseek_like(std::string name, const Config& config, const DeepseekMixture& mixture, Pairs pairs);

}  // namespace braid
