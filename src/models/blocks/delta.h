#pragma once
// Linear attention by the gated delta rule.

#include "models/blocks/ssm.h"

namespace braid {

/// Gated DeltaNet (arXiv:2412.06464) as Qwen3-Next has it.
struct DeltaNet {
  /// By the keys linear_num_key_heads, linear_num_value_heads, linear_key_head_dim, linear_value_head_dim,
  /// linear_conv_kernel_dim.
  explicit DeltaNet(const Config& config);

  int64_t width, key_heads, heads, key_dim, value_dim, kernel;
  std::string activation;  ///< after the convolution; the gate's is silu
  double epsilon;
};
/// x (tokens, width) → (tokens, width). States: SCOPE.conv and SCOPE.delta, of lifetime sequence.
Value delta_net(const Scope& s, const Step& t, Value x, const DeltaNet& how);

}  // namespace braid
