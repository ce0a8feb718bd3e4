#include "models/blocks/ssm.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "models/blocks/norm.h"

namespace braid {
namespace {

/// A norm's weights where there are none.
Value ones(Builder& b, int64_t size) {
  const std::vector<float> list(static_cast<size_t>(size), 1.0f);
  return b.constant(Tensor::of({size}, std::span(list)));
}

}  // namespace

Recurrent recurrent(const Scope& s, const Step& t, std::string_view name, Shape size) {
  if (!t.options().stateful) return {};
  size.insert(size.begin(), Symbol::slots);
  return {.pool = t.builder().state(s.path() + "." + std::string(name), {.shape = std::move(size)}, Lifetime::sequence),
          .slots = t.slots(),
          .context = t.context()};
}

Value kept(const Step& t, const Recurrent& before, const Recurred& after) {
  if (before.pool) t.builder().state_result(before.pool, after.pool);
  return after.y;
}

Value short_conv(const Scope& s, const Step& t, Value x, const ShortConv& how) {
  const Scope conv = s["conv1d"];
  const Within here(conv);
  const Dim channels = x.dim(1);
  const Value taps = reshape(conv.floats("weight", {channels, 1, how.kernel}), {channels, how.kernel});
  const Value bias = how.bias ? conv.floats("bias", {channels}) : Value{};
  const Recurrent window = recurrent(s, t, "conv", {channels, how.kernel - 1});
  return kept(t, window, causal_conv(x, taps, bias, t.span_start(), window));
}

Mamba1 mamba1_of(const Config& c) {
  const int64_t width = c.size_at("hidden_size");
  return {.width = width,
          .inner = c.size_or("intermediate_size", c.size_at("expand") * width),
          .state = c.size_at("state_size"),
          .rank = c.at("time_step_rank").is_string() ? (width + 15) / 16 : c.size_at("time_step_rank"),  // "auto"
          .conv = {.kernel = c.int_at("conv_kernel", {2, kSizeRange.most}), .bias = c.bool_or("use_conv_bias", true)},
          .activation = activation_name(c, "hidden_act"),
          .bias = c.bool_or("use_bias", false)};
}

Value mamba1(const Scope& s, const Step& t, Value x, const Mamba1& how) {
  const Within here(s);
  const Value projected = s.project("in_proj", x, 2 * how.inner, how.bias);
  const Value gate = slice(projected, -1, how.inner, 2 * how.inner);
  x = activation(how.activation, short_conv(s, t, slice(projected, -1, 0, how.inner), how.conv));  // (tokens, inner)

  const Value selected = s.project("x_proj", x, how.rank + 2 * how.state);
  const auto part = [&](int64_t start, int64_t size, std::string_view norm) {
    const Value y = slice(selected, -1, start, start + size);
    if (!how.inner_norms) return y;
    return how.weightless ? rms_norm(y, ones(t.builder(), size), *how.inner_norms)
                          : rms_norm(s[norm], y, *how.inner_norms);
  };
  const Value step = part(0, how.rank, "dt_layernorm");
  const Recurrent memory = recurrent(s, t, "ssm", {how.inner, how.state});
  const Value y = kept(t, memory,
                       selective_scan({.x = x,
                                       .dt = softplus(s.project("dt_proj", step, how.inner, kBias)),
                                       .a = neg(exp(s.floats("A_log", {how.inner, how.state}))),
                                       .b = part(how.rank, how.state, "b_layernorm"),
                                       .c = part(how.rank + how.state, how.state, "c_layernorm"),
                                       .d = s.floats("D", {how.inner})},
                                      t.span_start(), memory));
  return s.project("out_proj", y * activation(how.activation, gate), how.width, how.bias);
}

namespace {

/// y (tokens, inner), gated and normed in either order, the norm over each of `norm_groups` parts of a row.
Value gated_norm(const Scope& s, const Mamba2& how, Value y, Value gate) {
  if (how.norm_groups == 0) return y * silu(gate);
  const Within here(s);
  const int64_t inner = y.dim(1).number(), part = inner / how.norm_groups;
  if (!how.norm_before_gate) y = y * silu(gate);
  const Value weight = s.floats("weight", {inner});
  if (how.norm_groups == 1) {
    y = rms_norm(y, weight, how.epsilon);
  } else {
    const Value parts = reshape(y, {y.dim(0), how.norm_groups, part});
    const Value normed = rms_norm(parts, ones(*y.builder, part), how.epsilon);
    y = reshape(normed, y.type().shape) * weight;
  }
  return how.norm_before_gate ? y * silu(gate) : y;
}

/// What comes from in_proj, its parts (gate, x, B, C, dt) multiplied as the config wants.
Value multiplied(const Mamba2& how, Value projected) {
  if (std::ranges::all_of(how.multipliers, [](double m) { return m == 1; })) return projected;
  const int64_t inner = how.heads * how.head_dim, shared = how.groups * how.state;
  const int64_t sizes[] = {inner, inner, shared, shared, how.heads};
  std::vector<float> factors;
  for (size_t i = 0; i < how.multipliers.size(); ++i)
    factors.insert(factors.end(), static_cast<size_t>(sizes[i]), static_cast<float>(how.multipliers[i]));
  const auto count = static_cast<int64_t>(factors.size());
  return projected * projected.builder->constant(Tensor::of({count}, std::span<const float>(factors)));
}

}  // namespace

Value mamba2(const Scope& s, const Step& t, Value x, const Mamba2& how) {
  const Within here(s);
  Builder& b = t.builder();
  const int64_t inner = how.heads * how.head_dim, shared = how.groups * how.state, mixed = inner + 2 * shared;
  const Value projected = multiplied(how, s.project("in_proj", x, inner + mixed + how.heads, how.bias));
  const Value gate = slice(projected, -1, 0, inner);
  const Value convolved =
      activation(how.activation, short_conv(s, t, slice(projected, -1, inner, inner + mixed), how.conv));
  Value dt =
      softplus(slice(projected, -1, inner + mixed, inner + mixed + how.heads) + s.floats("dt_bias", {how.heads}));
  if (how.least_step > 0) dt = maximum(dt, b.scalar(how.least_step));  // softplus is positive as it is
  if (std::isfinite(how.most_step)) dt = minimum(dt, b.scalar(how.most_step));

  const Recurrent memory = recurrent(s, t, "ssm", {inner, how.state});
  const Value y = kept(t, memory,
                       selective_scan({.x = slice(convolved, -1, 0, inner),
                                       .dt = dt,
                                       .a = reshape(neg(exp(s.floats("A_log", {how.heads}))), {how.heads, 1}),
                                       .b = slice(convolved, -1, inner, inner + shared),
                                       .c = slice(convolved, -1, inner + shared, mixed),
                                       .d = s.floats("D", {how.heads}),
                                       .groups = how.groups},
                                      t.span_start(), memory));
  return s.project("out_proj", gated_norm(s["norm"], how, y, gate), how.width, how.output_bias);
}

Mamba2 Mamba2::from(const Config& c) {
  const int64_t width = c.size_at("hidden_size"), heads = c.size_at("mamba_n_heads");
  const int64_t inner = c.size_or("mamba_d_ssm", c.size_at("mamba_expand") * width);
  const int64_t head_dim = c.find("mamba_d_head") && c.at("mamba_d_head").is_string()
                               ? inner / heads  // "auto"
                               : c.size_or("mamba_d_head", inner / heads);
  if (heads * head_dim != inner)
    c.fail("mamba_n_heads", std::to_string(heads) + " heads of " + std::to_string(head_dim) + " do not make " +
                                std::to_string(inner) + " channels");
  const int64_t groups = c.size_at("mamba_n_groups");
  if (heads % groups != 0) c.fail("mamba_n_groups", "the groups do not divide the heads");
  Mamba2 how{
      .width = width,
      .heads = heads,
      .head_dim = head_dim,
      .groups = groups,
      .state = c.size_at("mamba_d_state"),
      .conv = {.kernel = c.int_at("mamba_d_conv", {2, kSizeRange.most}), .bias = c.bool_or("mamba_conv_bias", true)},
      .activation = activation_name(c, "hidden_act"),
      .bias = c.bool_or("mamba_proj_bias", false),
      .output_bias = c.bool_or("mamba_proj_bias", false),
      .epsilon = c.real_at("rms_norm_eps")};
  how.read_step_limit(c);
  return how;
}

std::vector<bool> attention_layers(const Config& c, int64_t layers, std::vector<bool> otherwise) {
  const std::string_view key = c.has("layer_types") ? "layer_types" : "layers_block_type";
  const std::vector<std::string> types = c.strings(key);
  otherwise.resize(static_cast<size_t>(layers));
  if (types.empty()) return otherwise;
  if (types.size() != otherwise.size())
    c.fail(key, "there are " + std::to_string(types.size()) + " types for " + std::to_string(layers) + " layers");
  for (size_t i = 0; i < types.size(); ++i) {
    otherwise[i] = types[i] == "full_attention" || types[i] == "attention";
    if (!otherwise[i] && types[i] != "linear_attention" && types[i] != "mamba")
      c.fail(key, "layer " + std::to_string(i) + " is of the unknown type \"" + types[i] + "\"");
  }
  return otherwise;
}

void Mamba2::read_step_limit(const Config& c) {
  const auto limit = c.find("time_step_limit");
  if (!limit) return;
  if (!limit->is_array() || limit->size() != 2) c.fail("time_step_limit", "expected two numbers");
  const auto number = [](const Json& value) {
    if (value.is_string() && value.as_string() == "Inf") return std::numeric_limits<double>::infinity();
    if (!value.is_object()) return value.as_double();
    if (value.at("__float__").as_string() != "Infinity") value.fail("expected a number or infinity");
    return std::numeric_limits<double>::infinity();
  };
  least_step = number((*limit)[0]);
  most_step = number((*limit)[1]);
  if (!(least_step < most_step)) c.fail("time_step_limit", "the first number must be below the second");
}

Decoder pure_mamba(std::string name, const Config& config,
                   std::function<Value(const Scope&, const Step&, Value)> mixer) {
  const Norm norm{rms_norm, config.real_at("layer_norm_epsilon")};
  const int64_t vocabulary = config.vocabulary(), layers = config.layers(), width = config.size_at("hidden_size");
  const auto body = [=](const Scope& s, const Step& t, HiddenStates& hidden) {
    // The residual stream is f32 here whatever `residual_in_fp32` says: so are all activations.
    Value x = embedding(s["embeddings"], t.token_ids(), vocabulary, width);
    for (int64_t i = 0; i < layers; ++i) {
      const Scope block = s["layers"][i];
      x = x + mixer(block["mixer"], t, norm(block["norm"], x));
      hidden.add(x);  // transformers counts from the first layer's output here
    }
    return norm(s["norm_f"], x);
  };
  return {.name = std::move(name),
          .model = "backbone",
          .embeddings = "embeddings",
          .tied = config.bool_or("tie_word_embeddings", false),
          .vocabulary = vocabulary,
          .body = body,
          .renames = {{"embeddings.", "embedding."}}};  // files of the authors
}

}  // namespace braid
