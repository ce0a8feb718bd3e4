// Phi-1, 1.5 and 2 (arXiv:2309.05463): attention and MLP in parallel on one LayerNorm, part of each head rotated,
// biases everywhere.

#include <cmath>

#include "models/blocks/decoder.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 2048, "num_attention_heads": 32, "num_hidden_layers": 24, "intermediate_size": 8192,
  "vocab_size": 51200, "max_position_embeddings": 2048, "layer_norm_eps": 1e-5, "hidden_act": "gelu_new",
  "partial_rotary_factor": 0.5})";

struct Phi {
  explicit Phi(const Config& c)
      : attention{.heads = c.heads_and_dims(), .how = {}, .bias = true, .output_bias = true, .output = "dense"},
        mlp{.inner = c.size_at("intermediate_size"), .activation = activation_name(c, "hidden_act"), .bias = true},
        norm{layer_norm, c.real_at("layer_norm_eps")},
        rope(c.rope()),
        layers(c.layers()),
        vocabulary(c.vocabulary()) {
    refuse(c, "qk_layernorm");
    attention.how.scale = 1 / std::sqrt(attention.heads.head_dim);
  }

  SelfAttention attention;
  Mlp mlp;
  Norm norm;
  RopeConfig rope;
  int64_t layers, vocabulary;
};

Value body(const Scope& s, const Phi& c, const Step& t, HiddenStates& hidden) {
  const Rotary rotary(t, c.rope, c.attention.heads.head_dim);
  SelfAttention attention = c.attention;
  attention.rotary = &rotary;
  const Value x = embedding(s["embed_tokens"], t.token_ids(), c.vocabulary, attention.heads.hidden);
  const Value y = run_layers(s["layers"], c.layers, x, hidden, [&](const Scope& l, int64_t, Value in) {
    const Value normed = c.norm(l["input_layernorm"], in);
    return in + self_attention_block(l["self_attn"], t, normed, attention) +
           plain_mlp(l["mlp"], normed, c.mlp, "fc1", "fc2");
  });
  return c.norm(s["final_layernorm"], y);
}

}  // namespace

Blueprint phi_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const Phi c(config);
  return decoder_family(
      config, {.name = "Phi",
               .head_bias = true,
               .tied = config.bool_or("tie_word_embeddings", false),
               .vocabulary = c.vocabulary,
               .max_positions = config.size_at("max_position_embeddings"),
               .body = [c](const Scope& s, const Step& t, HiddenStates& hidden) { return body(s, c, t, hidden); }});
}

}  // namespace braid
