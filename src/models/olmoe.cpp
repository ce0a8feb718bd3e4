// OLMoE (arXiv:2409.02060): Llama with norms over all queries and all keys of a token, and a mixture of small experts.

#include <cmath>

#include "models/blocks/decoder.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 2048, "num_attention_heads": 16, "num_hidden_layers": 16, "intermediate_size": 2048,
  "vocab_size": 50304, "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "hidden_act": "silu", "num_experts": 64,
  "num_experts_per_tok": 8})";

struct Olmoe {
  explicit Olmoe(const Config& c)
      : attention{.heads = c.heads_and_dims(), .how = {}, .output_bias = c.bool_or("attention_bias", false)},
        norm{rms_norm, c.real_at("rms_norm_eps")},
        rope(c.rope()),
        experts{.experts = expert_count(c, "num_experts"),
                .routing = {.chosen = c.int_at("num_experts_per_tok", {1, expert_count(c, "num_experts")}),
                            .renormalise = c.bool_or("norm_topk_prob", false)},
                .inner = c.size_at("intermediate_size"),
                .activation = activation_name(c, "hidden_act")},
        layers(c.layers()),
        vocabulary(c.vocabulary()),
        clip(c.real_or("clip_qkv", 0)) {
    attention.how.scale = 1 / std::sqrt(attention.heads.head_dim);
  }

  SelfAttention attention;
  Norm norm;
  RopeConfig rope;
  Mixture experts;
  int64_t layers, vocabulary;
  double clip;  // of queries, keys and values; 0: none
};

Value attend(const Scope& a, const Olmoe& c, Value x, const Step& t, const SelfAttention& how) {
  const Within here(a);
  const auto& [width, heads, kv_heads, head_dim] = c.attention.heads;
  const auto [q, k, v] =
      a.project({{"q_proj", heads * head_dim}, {"k_proj", kv_heads * head_dim}, {"v_proj", kv_heads * head_dim}}, x,
                how.output_bias);
  const auto by_head = [&, head_dim = head_dim](Value y) {
    if (c.clip > 0) y = maximum(minimum(y, t.builder().scalar(c.clip)), t.builder().scalar(-c.clip));
    return split_heads(y, head_dim);
  };
  return attend_and_project(a, t, {by_head(c.norm(a["q_norm"], q)), by_head(c.norm(a["k_norm"], k)), by_head(v)}, how);
}

}  // namespace

Blueprint olmoe_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const Olmoe c(config);
  const auto body = [c](const Scope& s, const Step& t, HiddenStates& hidden) {
    const Rotary rotary(t, c.rope, c.attention.heads.head_dim);
    SelfAttention attention = c.attention;
    attention.rotary = &rotary;
    const auto layer = [&](const Scope& l, int64_t, Value x) {  // x: (tokens, width)
      x = x + attend(l["self_attn"], c, c.norm(l["input_layernorm"], x), t, attention);
      return x + mixture(l["mlp"], c.norm(l["post_attention_layernorm"], x), c.experts);
    };
    const Value x = embedding(s["embed_tokens"], t.token_ids(), c.vocabulary, c.attention.heads.hidden);
    return c.norm(s["norm"], run_layers(s["layers"], c.layers, x, hidden, layer));
  };
  return decoder_family(config, {.name = "Olmoe",
                                 .tied = config.bool_or("tie_word_embeddings", false),
                                 .vocabulary = c.vocabulary,
                                 .max_positions = config.size_at("max_position_embeddings"),
                                 .body = body});
}

}  // namespace braid
