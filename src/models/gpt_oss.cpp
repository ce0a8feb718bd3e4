// gpt-oss (OpenAI, arXiv:2508.10925): every second layer sees a window, each head may attend to a sink, and the experts
// have biases and a clamped gate.

#include <cmath>

#include "models/blocks/decoder.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 2880, "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 64, "num_hidden_layers": 36,
  "intermediate_size": 2880, "vocab_size": 201088, "max_position_embeddings": 131072, "rms_norm_eps": 1e-5,
  "num_local_experts": 128, "num_experts_per_tok": 4, "sliding_window": 128, "swiglu_alpha": 1.702,
  "swiglu_limit": 7.0})";

struct GptOss {
  explicit GptOss(const Config& c)
      : attention{.heads = c.heads_and_dims(),
                  .how = {},
                  .bias = c.bool_or("attention_bias", true),
                  .output_bias = c.bool_or("attention_bias", true)},
        norm{rms_norm, c.real_at("rms_norm_eps")},
        rope(c.rope(150000)),
        layers(c.layers()),
        vocabulary(c.vocabulary()),
        inner(c.size_at("intermediate_size")),
        experts(expert_count(c, "num_local_experts")),
        routing{.chosen = c.int_at("num_experts_per_tok", {1, experts}), .renormalise = true},
        windows(layer_windows(c, layers, [](int64_t i) { return i % 2 == 0; })),
        alpha(c.real_at("swiglu_alpha")),
        limit(c.real_at("swiglu_limit")) {
    attention.how.scale = 1 / std::sqrt(attention.heads.head_dim);
  }

  SelfAttention attention;
  Norm norm;
  RopeConfig rope;
  int64_t layers, vocabulary, inner, experts;
  Routing routing;
  std::vector<int64_t> windows;
  double alpha, limit;
};

/// Gates or ups of all experts.
struct Half {
  Value matrices, biases;  // (experts, inner, width), (experts, inner)
};

/// Half 0 (gates) or 1 (ups) of gate_up_proj, whose columns alternate between the two; GGUF files have them apart.
Half half(const GptOss& c, const Scope& e, int64_t which) {
  const int64_t width = c.attention.heads.hidden;
  if (const Scope part = e[which == 0 ? "gate_proj" : "up_proj"]; !e.has("gate_up_proj_bias") && part.has("weight"))
    return {part.parameter("weight", {c.experts, c.inner, width}), part.floats("bias", {c.experts, c.inner})};
  const auto pick = [&](Value rows, Shape pairs, Shape shape) {
    return reshape(slice(reshape(rows, std::move(pairs)), 2, which, which + 1), std::move(shape));
  };
  return {pick(e.transposed("gate_up_proj", {c.experts, 2 * c.inner, width}), {c.experts, c.inner, 2, width},
               {c.experts, c.inner, width}),
          pick(e.floats("gate_up_proj_bias", {c.experts, 2 * c.inner}), {c.experts, c.inner, 2}, {c.experts, c.inner})};
}

Half down(const GptOss& c, const Scope& e) {
  const int64_t width = c.attention.heads.hidden;
  if (const Scope part = e["down_proj"]; !e.has("down_proj_bias") && part.has("weight"))
    return {part.parameter("weight", {c.experts, width, c.inner}), part.floats("bias", {c.experts, width})};
  return {e.transposed("down_proj", {c.experts, width, c.inner}), e.floats("down_proj_bias", {c.experts, width})};
}

Value mixture(const Scope& m, const GptOss& c, Value x) {  // x: (tokens, width)
  const Within here(m);
  const Dispatch to(x, route(m.project("router", x, c.experts, kBias), {}, c.routing), c.experts);
  const auto product = [&](Value rows, const Half& w) {
    return to.product(rows, matrices_of(w.matrices)) + to.of_expert(w.biases);
  };
  const Scope e = m["experts"];
  const Value most = x.builder->scalar(c.limit), least = x.builder->scalar(-c.limit);
  const Value gate = minimum(product(to.rows(), half(c, e, 0)), most);
  const Value up = maximum(minimum(product(to.rows(), half(c, e, 1)), most), least);
  return to.combine(product((up + 1.0) * (gate * sigmoid(gate * c.alpha)), down(c, e)));
}

}  // namespace

Blueprint gpt_oss_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const GptOss c(config);
  const auto body = [c](const Scope& s, const Step& t, HiddenStates& hidden) {
    const Rotary rotary(t, c.rope, c.attention.heads.head_dim);
    const auto layer = [&](const Scope& l, int64_t i, Value x) {  // x: (tokens, width)
      SelfAttention attention = c.attention;
      attention.rotary = &rotary;
      attention.how.window = c.windows[static_cast<size_t>(i)];
      attention.how.sinks = l["self_attn"].floats("sinks", {c.attention.heads.heads});
      x = x + self_attention_block(l["self_attn"], t, c.norm(l["input_layernorm"], x), attention);
      return x + mixture(l["mlp"], c, c.norm(l["post_attention_layernorm"], x));
    };
    const Value x = embedding(s["embed_tokens"], t.token_ids(), c.vocabulary, c.attention.heads.hidden);
    return c.norm(s["norm"], run_layers(s["layers"], c.layers, x, hidden, layer));
  };
  return decoder_family(config, {.name = "GptOss",
                                 .tied = config.bool_or("tie_word_embeddings", false),
                                 .vocabulary = c.vocabulary,
                                 .max_positions = config.size_at("max_position_embeddings"),
                                 .body = body});
}

}  // namespace braid
