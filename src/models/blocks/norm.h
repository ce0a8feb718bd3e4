#pragma once
// Norms over the last dimension, at the scope of their tensors.

#include "models/scope.h"

namespace braid {

/// x / sqrt(mean(x²) + ε) · SCOPE.weight.
Value rms_norm(const Scope& s, Value x, double epsilon);
/// The same with 1 + SCOPE.weight (Gemma): the sum is part of the load graph.
Value offset_rms_norm(const Scope& s, Value x, double epsilon);
/// With SCOPE.weight and SCOPE.bias.
Value layer_norm(const Scope& s, Value x, double epsilon);
/// With 1 + SCOPE.weight, and SCOPE.bias (Nemotron).
Value offset_layer_norm(const Scope& s, Value x, double epsilon);
/// With SCOPE.weight alone (Cohere, MPT).
Value layer_norm_without_bias(const Scope& s, Value x, double epsilon);
/// Without any tensor (OLMo).
Value layer_norm_without_weight(const Scope& s, Value x, double epsilon);

/// One norm per head, of SCOPE.weight (heads, head_dim): x (tokens, heads, head_dim) (Cohere).
Value layer_norm_per_head(const Scope& s, Value x, double epsilon);

/// RMSNorm over all heads of a token at once, of SCOPE.weight (heads · head_dim): x (tokens, heads, head_dim) (OLMo 2).
Value rms_norm_across_heads(const Scope& s, Value x, double epsilon);

/// A kind of norm and its ε, as a family's config gives them: norm(s["input_layernorm"], x).
struct Norm {
  Value (*kind)(const Scope& s, Value x, double epsilon) = nullptr;
  double epsilon = 0;
  explicit operator bool() const { return kind != nullptr; }
  Value operator()(const Scope& s, Value x) const { return kind(s, x, epsilon); }
};

}  // namespace braid
