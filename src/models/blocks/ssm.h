#pragma once
// State-space mixers: a short causal convolution and a selective scan. Both keep a state per sequence, of a size that
// does not grow.

#include <array>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "models/blocks/decoder.h"

namespace braid {

/// The state SCOPE.NAME of a recurrence, one row (size…) per sequence; absent in the cacheless form.
Recurrent recurrent(const Scope& s, const Step& t, std::string_view name, Shape size);
/// Keeps the new version of the state, where there is one → what the recurrence gave.
Value kept(const Step& t, const Recurrent& before, const Recurred& after);
/// x (tokens, channels) through SCOPE.conv1d, whose window is the state SCOPE.conv.
struct ShortConv {
  int64_t kernel;
  bool bias;
};
Value short_conv(const Scope& s, const Step& t, Value x, const ShortConv& how);

/// Mamba's mixer (arXiv:2312.00752).
struct Mamba1 {
  int64_t width, inner, state;
  int64_t rank;  ///< of the projection that dt comes from
  ShortConv conv;
  std::string activation;
  bool bias;                               ///< of in_proj and out_proj
  std::optional<double> inner_norms = {};  ///< Jamba: dt, B and C are normed, with this epsilon
  bool weightless = false;                 ///< … without weights (Falcon-Mamba)
};
/// Of the keys that Mamba's configs and its kin's have: state_size, conv_kernel, expand, time_step_rank …
Mamba1 mamba1_of(const Config& config);
/// x (tokens, width) → (tokens, width).
Value mamba1(const Scope& s, const Step& t, Value x, const Mamba1& how);

/// Mamba-2's mixer (arXiv:2405.21060).
struct Mamba2 {
  int64_t width, heads, head_dim, groups, state;
  ShortConv conv;
  std::string activation;   ///< after the convolution; the gate's is silu
  bool bias;                ///< of in_proj …
  bool output_bias;         ///< … and of out_proj
  double epsilon;           ///< of the norm before out_proj
  int64_t norm_groups = 1;  ///< 0: there is no norm
  bool norm_before_gate = false;
  std::array<double, 5> multipliers = {1, 1, 1, 1, 1};                         ///< of gate, x, B, C, dt (Falcon-H1)
  double least_step = 0, most_step = std::numeric_limits<double>::infinity();  ///< bounds of dt

  /// From the keys that hybrids use: mamba_n_heads, mamba_d_head, mamba_expand …
  static Mamba2 from(const Config& config);
  /// Sets the bounds of dt from the key time_step_limit, where infinity is "Inf" (as Config reads Python's Infinity)
  /// or {"__float__": "Infinity"}.
  void read_step_limit(const Config& config);
};
/// Which layers of a hybrid attend: those that `layer_types` (or layers_block_type) calls "full_attention" or
/// "attention"; the others are "linear_attention" or "mamba". `otherwise` where the config has no such list (empty: no
/// layer attends). Throws Error naming a type that is none of these.
std::vector<bool> attention_layers(const Config& config, int64_t layers, std::vector<bool> otherwise);
/// x (tokens, width) → (tokens, width).
Value mamba2(const Scope& s, const Step& t, Value x, const Mamba2& how);

/// The decoder that is nothing but such mixers, each behind a norm: backbone.layers.N.{norm, mixer}.
Decoder pure_mamba(std::string name, const Config& config,
                   std::function<Value(const Scope&, const Step&, Value)> mixer);

}  // namespace braid
