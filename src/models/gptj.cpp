// GPT-J (Wang and Komatsuzaki, 2021): attention and MLP in parallel on one LayerNorm; the first dimensions of each head
// rotated, in neighbouring pairs.

#include <cmath>

#include "models/blocks/decoder.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "n_embd": 4096, "n_head": 16, "n_layer": 28, "n_positions": 2048, "rotary_dim": 64, "vocab_size": 50400,
  "layer_norm_epsilon": 1e-5, "activation_function": "gelu_new"})";

struct GptJ {
  explicit GptJ(const Config& c)
      : attention{.heads = c.heads_and_dims({.hidden = "n_embd", .heads = "n_head"}), .how = {}, .output = "out_proj"},
        mlp{.inner = c.size_or("n_inner", 4 * attention.heads.hidden),
            .activation = activation_name(c, "activation_function"),
            .bias = true},
        norm{layer_norm, c.real_at("layer_norm_epsilon")},
        rotated(c.int_at("rotary_dim", {2, attention.heads.head_dim})),
        layers(c.layers("n_layer")),
        vocabulary(c.vocabulary()) {
    attention.how.scale = 1 / std::sqrt(attention.heads.head_dim);
  }

  SelfAttention attention;
  Mlp mlp;
  Norm norm;
  int64_t rotated, layers, vocabulary;
};

Value body(const Scope& s, const GptJ& c, const Step& t, HiddenStates& hidden) {
  const Rotary rotary(t, {}, c.rotated, Pairs::neighbours);
  SelfAttention attention = c.attention;
  attention.rotary = &rotary;
  const Value x = embedding(s["wte"], t.token_ids(), c.vocabulary, attention.heads.hidden);
  const Value y = run_layers(s["h"], c.layers, x, hidden, [&](const Scope& l, int64_t, Value in) {
    const Value normed = c.norm(l["ln_1"], in);
    return in + self_attention_block(l["attn"], t, normed, attention) +
           plain_mlp(l["mlp"], normed, c.mlp, "fc_in", "fc_out");
  });
  return c.norm(s["ln_f"], y);
}

}  // namespace

Blueprint gptj_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const GptJ c(config);
  return decoder_family(
      config, {.name = "GPTJ",
               .model = "transformer",
               .embeddings = "wte",
               .head_bias = true,
               .tied = config.bool_or("tie_word_embeddings", false),
               .vocabulary = c.vocabulary,
               .max_positions = config.size_at("n_positions"),
               .body = [c](const Scope& s, const Step& t, HiddenStates& hidden) { return body(s, c, t, hidden); },
               .stale = {"*.attn.bias", "*.attn.masked_bias"}});  // causal masks of old files
}

}  // namespace braid
