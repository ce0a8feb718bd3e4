#include "models/blocks/delta.h"

#include <cmath>

#include "models/blocks/attention.h"
#include "models/blocks/norm.h"

namespace braid {
namespace {

/// x (tokens, heads, dim), each head of length one.
Value unit_length(Value x) {
  constexpr double kFloor = 1e-6;
  return x * rsqrt(reduce_sum(x * x, -1, true) + kFloor);
}

}  // namespace

DeltaNet::DeltaNet(const Config& c)
    : width(c.size_at("hidden_size")),
      key_heads(c.size_at("linear_num_key_heads")),
      heads(c.size_at("linear_num_value_heads")),
      key_dim(c.size_at("linear_key_head_dim")),
      value_dim(c.size_at("linear_value_head_dim")),
      kernel(c.int_at("linear_conv_kernel_dim", {2, kSizeRange.most})),
      activation(c.string_at("hidden_act")),
      epsilon(c.real_at("rms_norm_eps")) {
  if (heads % key_heads != 0) c.fail("linear_num_key_heads", "the heads of keys do not divide those of values");
}

Value delta_net(const Scope& s, const Step& t, Value x, const DeltaNet& how) {
  const Within here(s);
  const Dim tokens = x.dim(0);
  const int64_t keys = how.key_heads * how.key_dim, values = how.heads * how.value_dim;
  const int64_t per = how.heads / how.key_heads, own = per * how.value_dim;
  // Rows go by key head: its query, its key, and the values and gates of its heads.
  const Value all =
      reshape(s.project("in_proj_qkvz", x, 2 * (keys + values)), {tokens, how.key_heads, 2 * (how.key_dim + own)});
  const auto part = [&](int64_t begin, int64_t size, int64_t width) {
    return reshape(slice(all, 2, begin, begin + size), {tokens, width});
  };
  const Value mixed[] = {part(0, how.key_dim, keys), part(how.key_dim, how.key_dim, keys),
                         part(2 * how.key_dim, own, values)};
  const Value gate = split_heads(part(2 * how.key_dim + own, own, values), how.value_dim);
  const Value convolved =
      activation(how.activation, short_conv(s, t, concat(mixed, 1), {.kernel = how.kernel, .bias = false}));
  const Value strengths = reshape(s.project("in_proj_ba", x, 2 * how.heads), {tokens, how.key_heads, 2 * per});
  const auto strength = [&](int64_t begin) {
    return reshape(slice(strengths, 2, begin, begin + per), {tokens, how.heads});
  };

  const Recurrent memory = recurrent(s, t, "delta", {how.heads, how.key_dim, how.value_dim});
  const Value query = unit_length(split_heads(slice(convolved, 1, 0, keys), how.key_dim));
  const Value y = kept(t, memory,
                       gated_delta({.q = query * (1 / std::sqrt(static_cast<double>(how.key_dim))),
                                    .k = unit_length(split_heads(slice(convolved, 1, keys, 2 * keys), how.key_dim)),
                                    .v = split_heads(slice(convolved, 1, 2 * keys, 2 * keys + values), how.value_dim),
                                    .g = neg(exp(s.floats("A_log", {how.heads}))) *
                                         softplus(strength(per) + s.floats("dt_bias", {how.heads})),
                                    .beta = sigmoid(strength(0))},
                                   t.span_start(), memory));  // (tokens, heads, value_dim)
  return s.project("out_proj", merge_heads(rms_norm(s["norm"], y, how.epsilon) * silu(gate)), how.width);
}

}  // namespace braid
