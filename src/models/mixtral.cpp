// Mixtral (arXiv:2401.04088): Llama's attention, and in each layer a mixture of SwiGLU experts of which every token
// takes two.

#include <cmath>

#include "models/blocks/decoder.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8, "num_hidden_layers": 32,
  "intermediate_size": 14336, "num_local_experts": 8, "num_experts_per_tok": 2, "vocab_size": 32000,
  "max_position_embeddings": 131072, "rms_norm_eps": 1e-5, "hidden_act": "silu"})";
constexpr int64_t kMaxExperts = 4096;

struct Mixtral {
  explicit Mixtral(const Config& c)
      : attention{.heads = c.heads_and_dims(), .how = {.window = c.size_or("sliding_window", 0)}},
        rope(c.rope(1e6)),
        layers(c.layers()),
        vocabulary(c.vocabulary()),
        inner(c.size_at("intermediate_size")),
        experts(c.int_at("num_local_experts", {1, kMaxExperts})),
        chosen(c.int_at("num_experts_per_tok", {1, experts})),
        norm{rms_norm, c.real_at("rms_norm_eps")},
        activation(activation_name(c, "hidden_act")) {
    attention.how.scale = 1 / std::sqrt(attention.heads.head_dim);
  }

  SelfAttention attention;
  RopeConfig rope;
  int64_t layers, vocabulary, inner, experts, chosen;
  Norm norm;
  std::string activation;
};

Value layer(const Scope& s, const Mixtral& c, Value x, const Step& t, const SelfAttention& attention) {
  x = x + self_attention_block(s["self_attn"], t, c.norm(s["input_layernorm"], x), attention);
  return x + mixture(s["block_sparse_moe"], c.norm(s["post_attention_layernorm"], x),
                     {.experts = c.experts,
                      .chosen = c.chosen,
                      .renormalise = true,
                      .inner = c.inner,
                      .activation = c.activation,
                      .gate = "w1",
                      .up = "w3",
                      .down = "w2"});
}

Value body(const Scope& s, const Mixtral& c, const Step& t, HiddenStates& hidden) {
  const Rotary rotary(t, c.rope, c.attention.heads.head_dim);
  SelfAttention attention = c.attention;
  attention.rotary = &rotary;
  const Value x = embedding(s["embed_tokens"], t.token_ids(), c.vocabulary, c.attention.heads.hidden);
  const Value y = run_layers(s["layers"], c.layers, x, hidden,
                             [&](const Scope& l, int64_t, Value in) { return layer(l, c, in, t, attention); });
  return c.norm(s["norm"], y);
}

}  // namespace

Blueprint mixtral_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const Mixtral c(config);
  return decoder_family(
      config, {.name = "Mixtral",
               .tied = config.bool_or("tie_word_embeddings", false),
               .vocabulary = c.vocabulary,
               .max_positions = config.size_at("max_position_embeddings"),
               .body = [c](const Scope& s, const Step& t, HiddenStates& hidden) { return body(s, c, t, hidden); }});
}

}  // namespace braid
