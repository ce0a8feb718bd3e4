// Mixtral (arXiv:2401.04088): Llama's attention, and in each layer a mixture of SwiGLU experts of which every token
// takes two.

#include <algorithm>
#include <cmath>

#include "models/family.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8, "num_hidden_layers": 32,
  "intermediate_size": 14336, "num_local_experts": 8, "num_experts_per_tok": 2, "vocab_size": 32000,
  "max_position_embeddings": 131072, "rms_norm_eps": 1e-5, "hidden_act": "silu"})";
constexpr int64_t kMaxExperts = 4096;

struct Mixtral {
  explicit Mixtral(const Config& c)
      : heads(c.heads_and_dims()),
        rope(c.rope(1e6)),
        layers(c.layers()),
        vocabulary(c.vocabulary()),
        inner(c.size_at("intermediate_size")),
        experts(c.int_at("num_local_experts", {1, kMaxExperts})),
        chosen(c.int_at("num_experts_per_tok", {1, experts})),
        epsilon(c.real_at("rms_norm_eps")),
        activation(activation_name(c, "hidden_act")),
        tied(c.bool_or("tie_word_embeddings", false)) {}

  HeadConfig heads;
  RopeConfig rope;
  int64_t layers, vocabulary, inner, experts, chosen;
  double epsilon;
  std::string activation;
  bool tied;
};

Value layer(const Scope& s, const Mixtral& c, Value x, const Step& t, const Rotary& rotary) {  // x: (tokens, width)
  const Within here(s);
  const auto& [width, heads, kv_heads, head_dim] = c.heads;
  const Scope a = s["self_attn"];

  auto [q, k, v] =
      a.project({{"q_proj", heads * head_dim}, {"k_proj", kv_heads * head_dim}, {"v_proj", kv_heads * head_dim}},
                rms_norm(s["input_layernorm"], x, c.epsilon));
  q = rotary(split_heads(q, head_dim), t.positions());  // (tokens, heads, head_dim)
  k = rotary(split_heads(k, head_dim), t.positions());
  const Value y = self_attention(a, t, q, k, split_heads(v, head_dim), {.scale = 1 / std::sqrt(head_dim)});
  x = x + a.project("o_proj", y, width);

  return x + mixture(s["block_sparse_moe"], rms_norm(s["post_attention_layernorm"], x, c.epsilon),
                     {.experts = c.experts,
                      .chosen = c.chosen,
                      .renormalise = true,
                      .inner = c.inner,
                      .activation = c.activation,
                      .gate = "w1",
                      .up = "w3",
                      .down = "w2"});
}

void decode(const Scope& root, const Mixtral& c, const Step& t) {
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

Blueprint mixtral_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const Mixtral c(config);
  // A sliding window masks nothing as long as a sequence fits into it.
  const int64_t positions = config.size_at("max_position_embeddings");
  return {.architecture = architecture(config, {"MixtralForCausalLM"}),
          .entries = {{"decode", [c](const Scope& root, const Step& t) { decode(root, c, t); }}},
          .vocabulary = c.vocabulary,
          .max_positions = std::min(positions, config.size_or("sliding_window", positions)),
          .stale = {"*.rotary_emb.inv_freq", "lm_head.weight"}};
}

}  // namespace braid
