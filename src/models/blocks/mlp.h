#pragma once
// Feed-forward blocks of a transformer's layers.

#include <string>

#include "models/scope.h"

namespace braid {

struct Mlp {
  int64_t inner = 0;       ///< width inside
  std::string activation;  ///< as configs name it
  bool bias = false;
};
/// down_proj(activation(gate_proj(x)) · up_proj(x)): "GLU" (arXiv:2002.05202). x (tokens, width) → (tokens, width).
Value gated_mlp(const Scope& m, Value x, const Mlp& how);
/// The same where one tensor holds the rows of the gate and then those of `up`.
struct FusedNames {
  std::string_view both = "gate_up_proj", down = "down_proj";
};
Value fused_gated_mlp(const Scope& m, Value x, const Mlp& how, const FusedNames& names);
Value fused_gated_mlp(const Scope& m, Value x, const Mlp& how);
/// down_proj(activation(up_proj(x))).
Value ungated_mlp(const Scope& m, Value x, const Mlp& how);
/// second(activation(first(x))), of the tensors of these names.
Value plain_mlp(const Scope& m, Value x, const Mlp& how, std::string_view first, std::string_view second);

}  // namespace braid
