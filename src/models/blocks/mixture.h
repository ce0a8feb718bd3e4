#pragma once
// Mixtures of experts.

#include <string>
#include <string_view>
#include <vector>

#include "files/config.h"
#include "models/blocks/mlp.h"
#include "models/scope.h"

namespace braid {

/// The tokens of a step, each once per expert that it takes, sorted by expert: only the chosen experts are computed.
class Dispatch {
 public:
  /// x (tokens, width).
  Dispatch(Value x, const Routed& routed, int64_t experts);
  /// (tokens * chosen, width).
  Value rows() const { return rows_; }
  /// Each row (…, K) times the matrix (size, K) of its expert, which is read in place → (tokens * chosen, size).
  Value product(Value rows, const std::vector<Value>& matrices) const;
  /// The row of `table` (experts, size) that belongs to each row's expert → (tokens * chosen, size).
  Value of_expert(Value table) const;
  /// What the experts made of the rows, weighted and added up by token → (tokens, width).
  Value combine(Value y) const;

 private:
  Value rows_, experts_, weights_;
  Group group_;
};

struct Mixture {
  int64_t experts;  ///< how many there are
  Routing routing;
  int64_t inner;  ///< width inside an expert
  std::string activation;
  std::string_view router = "gate";  ///< SCOPE.ROUTER.weight (experts, width)
  std::string_view gate = "gate_proj", up = "up_proj", down = "down_proj";
};
/// Gated experts that lie one by one, SCOPE.experts.E.{gate,up,down}.weight; x (tokens, width) → (tokens, width).
/// `bias` (experts) of the router's comparison, or absent.
Value mixture(const Scope& s, Value x, const Mixture& how, Value bias = {});
/// The same where all experts lie in two tensors: SCOPE.UP.weight (experts, 2 · inner, width), rows of the gate first,
/// and SCOPE.DOWN.weight (experts, width, inner). `gate` does not count.
Value stacked_mixture(const Scope& s, Value x, const Mixture& how);
/// The matrices (N, K) of a tensor (experts, N, K), as parts of the load graph.
std::vector<Value> matrices_of(Value tensor);

/// An expert that every token takes, as much of it as a gate of its own says:
/// sigmoid(SCOPE.shared_expert_gate(x)) · SCOPE.shared_expert(x).
Value gated_shared_expert(const Scope& s, Value x, const Mlp& how);

/// A mixture by the keys that most configs share: num_experts or num_local_experts, num_experts_per_tok, hidden_act,
/// norm_topk_prob, and `inner` for the width inside an expert.
Mixture mixture_of(const Config& config, std::string_view inner = "moe_intermediate_size");
/// A number of experts: at least 1, and few enough to be listed.
int64_t expert_count(const Config& config, std::string_view key);
/// Which layers are mixtures, as the Qwen families say: every `decoder_sparse_step`-th that is not in
/// `mlp_only_layers`.
std::vector<bool> sparse_layers(const Config& config, int64_t layers);

}  // namespace braid
