// Llama (arXiv:2302.13971, 2307.09288, 2407.21783): grouped-query attention with rotary positions, SwiGLU, RMSNorm
// before each block.

#include <cmath>

#include "models/family.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_hidden_layers": 32, "intermediate_size": 11008,
  "vocab_size": 32000, "max_position_embeddings": 2048, "rms_norm_eps": 1e-6, "hidden_act": "silu"})";

struct Llama {
  explicit Llama(const Config& c)
      : heads(c.heads_and_dims()),
        rope(c.rope()),
        layers(c.layers()),
        vocabulary(c.vocabulary()),
        inner(c.size_at("intermediate_size")),
        epsilon(c.real_at("rms_norm_eps")),
        activation(activation_name(c, "hidden_act")),
        attention_bias(c.bool_or("attention_bias", false)),
        mlp_bias(c.bool_or("mlp_bias", false)),
        tied(c.bool_or("tie_word_embeddings", false)) {}

  HeadConfig heads;
  RopeConfig rope;
  int64_t layers, vocabulary, inner;
  double epsilon;
  std::string activation;
  bool attention_bias, mlp_bias, tied;
};

Value layer(const Scope& s, const Llama& c, Value x, const Step& t, const Rotary& rotary) {  // x: (tokens, width)
  const Within here(s);
  const auto& [width, heads, kv_heads, head_dim] = c.heads;
  const Scope a = s["self_attn"], m = s["mlp"];

  auto [q, k, v] =
      a.project({{"q_proj", heads * head_dim}, {"k_proj", kv_heads * head_dim}, {"v_proj", kv_heads * head_dim}},
                rms_norm(s["input_layernorm"], x, c.epsilon), c.attention_bias);
  q = rotary(split_heads(q, head_dim), t.positions());  // (tokens, heads, head_dim)
  k = rotary(split_heads(k, head_dim), t.positions());
  const Value y = self_attention(a, t, q, k, split_heads(v, head_dim), {.scale = 1 / std::sqrt(head_dim)});
  x = x + a.project("o_proj", y, width, c.attention_bias);

  const auto [gate, up] = m.project({{"gate_proj", c.inner}, {"up_proj", c.inner}},
                                    rms_norm(s["post_attention_layernorm"], x, c.epsilon), c.mlp_bias);
  return x + m.project("down_proj", activation(c.activation, gate) * up, width, c.mlp_bias);
}

void decode(const Scope& root, const Llama& c, const Step& t) {
  const Scope s = root["model"];
  const Rotary rotary(t.builder(), c.rope, c.heads.head_dim);
  HiddenStates hidden(t, "hidden");
  Value x = embedding(s["embed_tokens"], t.token_ids(), c.vocabulary, c.heads.hidden);
  for (int64_t i = 0; i < c.layers; ++i) {
    hidden.add(x);
    x = layer(s["layers"][i], c, x, t, rotary);
  }
  x = rms_norm(s["norm"], x, c.epsilon);
  hidden.add(x);
  t.builder().output("logits", token_logits(c.tied ? s["embed_tokens"] : root["lm_head"], t, x, c.vocabulary));
}

}  // namespace

Blueprint llama_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const Llama c(config);
  return {.architecture = architecture(config, {"LlamaForCausalLM"}),
          .entries = {{"decode", [c](const Scope& root, const Step& t) { decode(root, c, t); }}},
          .vocabulary = c.vocabulary,
          .max_positions = config.size_at("max_position_embeddings"),
          .stale = {"*.rotary_emb.inv_freq", "lm_head.weight"}};
}

}  // namespace braid
