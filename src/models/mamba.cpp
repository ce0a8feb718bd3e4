// Mamba (arXiv:2312.00752): no attention. A gated block of a short causal convolution and a selective state-space
// recurrence; both keep a state per sequence, of a size that does not grow.

#include "models/blocks/decoder.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 768, "num_hidden_layers": 32, "state_size": 16, "conv_kernel": 4, "expand": 2,
  "time_step_rank": "auto", "vocab_size": 50280, "layer_norm_epsilon": 1e-5, "hidden_act": "silu"})";

struct Mamba {
  explicit Mamba(const Config& c)
      : width(c.size_at("hidden_size")),
        inner(c.size_or("intermediate_size", c.size_at("expand") * width)),
        state(c.size_at("state_size")),
        kernel(c.size_at("conv_kernel")),
        rank(c.at("time_step_rank").is_string() ? (width + 15) / 16 : c.size_at("time_step_rank")),  // "auto"
        layers(c.layers()),
        vocabulary(c.vocabulary()),
        epsilon(c.real_at("layer_norm_epsilon")),
        activation(activation_name(c, "hidden_act")),
        bias(c.bool_or("use_bias", false)),
        conv_bias(c.bool_or("use_conv_bias", true)),
        tied(c.bool_or("tie_word_embeddings", true)) {}

  int64_t width, inner, state, kernel, rank, layers, vocabulary;
  double epsilon;
  std::string activation;
  bool bias, conv_bias, tied;
};

/// The state SCOPE.NAME of a recurrence, one row (size…) per sequence; absent in the cacheless form.
Recurrent recurrent(const Scope& s, const Step& t, std::string_view name, Shape size) {
  if (!t.options().stateful) return {};
  size.insert(size.begin(), Symbol::slots);
  return {.pool = t.builder().state(s.path() + "." + std::string(name), {.shape = std::move(size)}, Lifetime::sequence),
          .slots = t.slots(),
          .context = t.context()};
}

/// Keeps the new version of the state, where there is one → what the recurrence gave.
Value kept(const Step& t, const Recurrent& before, const Recurred& after) {
  if (before.pool) t.builder().state_result(before.pool, after.pool);
  return after.y;
}

Value mixer(const Scope& s, const Mamba& c, Value x, const Step& t) {  // x: (tokens, width)
  const Within here(s);
  const Value projected = s.project("in_proj", x, 2 * c.inner, c.bias);
  const Value gate = slice(projected, -1, c.inner, 2 * c.inner);
  x = slice(projected, -1, 0, c.inner);  // (tokens, inner)

  const Scope conv = s["conv1d"];
  const Value taps = reshape(conv.floats("weight", {c.inner, 1, c.kernel}), {c.inner, c.kernel});
  const Recurrent window = recurrent(s, t, "conv", {c.inner, c.kernel - 1});
  x = kept(t, window,
           causal_conv(x, taps, c.conv_bias ? conv.floats("bias", {c.inner}) : Value{}, t.span_start(), window));
  x = activation(c.activation, x);

  const Value selected = s.project("x_proj", x, c.rank + 2 * c.state);
  const Value step = slice(selected, -1, 0, c.rank);
  const Value dt = softplus(s.project("dt_proj", step, c.inner, kBias));
  const Recurrent memory = recurrent(s, t, "ssm", {c.inner, c.state});
  const Value y = kept(t, memory,
                       selective_scan({.x = x,
                                       .dt = dt,
                                       .a = neg(exp(s.floats("A_log", {c.inner, c.state}))),
                                       .b = slice(selected, -1, c.rank, c.rank + c.state),
                                       .c = slice(selected, -1, c.rank + c.state, c.rank + 2 * c.state),
                                       .d = s.floats("D", {c.inner})},
                                      t.span_start(), memory));
  return s.project("out_proj", y * activation(c.activation, gate), c.width, c.bias);
}

Value body(const Scope& s, const Mamba& c, const Step& t, HiddenStates& hidden) {
  // The residual stream is f32 here whatever `residual_in_fp32` says: so are all activations.
  Value x = embedding(s["embeddings"], t.token_ids(), c.vocabulary, c.width);
  for (int64_t i = 0; i < c.layers; ++i) {
    const Scope block = s["layers"][i];
    x = x + mixer(block["mixer"], c, rms_norm(block["norm"], x, c.epsilon), t);
    hidden.add(x);  // transformers counts from the first layer's output here
  }
  return rms_norm(s["norm_f"], x, c.epsilon);
}

}  // namespace

Blueprint mamba_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const Mamba c(config);
  return decoder_family(
      config, {.name = "Mamba",
               .model = "backbone",
               .embeddings = "embeddings",
               .tied = c.tied,
               .vocabulary = c.vocabulary,
               .body = [c](const Scope& s, const Step& t, HiddenStates& hidden) { return body(s, c, t, hidden); },
               .renames = {{"embeddings.", "embedding."}}});  // files of the authors
}

}  // namespace braid
