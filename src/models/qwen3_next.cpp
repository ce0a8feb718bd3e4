// Qwen3-Next (Qwen, 2025): three layers of gated delta nets to one of gated attention, each with a mixture of small
// experts beside a gated one that every token takes.

#include <cmath>

#include "models/blocks/decoder.h"
#include "models/blocks/delta.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 2048, "num_attention_heads": 16, "num_key_value_heads": 2, "head_dim": 256, "num_hidden_layers": 48,
  "intermediate_size": 5632, "vocab_size": 151936, "max_position_embeddings": 32768, "rms_norm_eps": 1e-6,
  "hidden_act": "silu", "partial_rotary_factor": 0.25, "linear_conv_kernel_dim": 4, "linear_key_head_dim": 128,
  "linear_value_head_dim": 128, "linear_num_key_heads": 16, "linear_num_value_heads": 32, "num_experts": 512,
  "num_experts_per_tok": 10, "moe_intermediate_size": 512, "shared_expert_intermediate_size": 512,
  "norm_topk_prob": true, "full_attention_interval": 4})";

struct Qwen3Next {
  explicit Qwen3Next(const Config& c)
      : heads(c.heads_and_dims()),
        norm{offset_rms_norm, c.real_at("rms_norm_eps")},
        rope(c.rope()),
        delta(c),
        experts(mixture_of(c)),
        dense{.inner = c.size_at("intermediate_size"), .activation = activation_name(c, "hidden_act")},
        shared{.inner = c.size_at("shared_expert_intermediate_size"), .activation = dense.activation},
        layers(c.layers()),
        vocabulary(c.vocabulary()),
        sparse(sparse_layers(c, layers)),
        bias(c.bool_or("attention_bias", false)) {
    const int64_t interval = c.size_at("full_attention_interval");
    std::vector<bool> every;
    for (int64_t i = 0; i < layers; ++i) every.push_back((i + 1) % interval == 0);
    attends = attention_layers(c, layers, every);
  }

  HeadConfig heads;
  Norm norm;
  RopeConfig rope;
  DeltaNet delta;
  Mixture experts;
  Mlp dense, shared;
  int64_t layers, vocabulary;
  std::vector<bool> sparse, attends;
  bool bias;
};

/// Attention whose results pass a gate, which comes with the queries: a head's query, then its gate.
Value gated_attention(const Scope& a, const Qwen3Next& c, Value x, const Step& t, const Rotary& rotary) {
  const Within here(a);
  const auto& [width, heads, kv_heads, head_dim] = c.heads;
  const auto [both, k, v] = a.project(
      {{"q_proj", 2 * heads * head_dim}, {"k_proj", kv_heads * head_dim}, {"v_proj", kv_heads * head_dim}}, x, c.bias);
  const Value by_head = split_heads(both, 2 * head_dim);
  const Value q = rotary(c.norm(a["q_norm"], slice(by_head, 2, 0, head_dim)), t.positions());
  const Value keys = rotary(c.norm(a["k_norm"], split_heads(k, head_dim)), t.positions());
  const Value gate = merge_heads(slice(by_head, 2, head_dim, 2 * head_dim));
  const Value y = self_attention(a, t, q, keys, split_heads(v, head_dim), {.scale = 1 / std::sqrt(head_dim)});
  return a.project("o_proj", y * sigmoid(gate), width, c.bias);
}

Value layer(const Scope& s, const Qwen3Next& c, int64_t i, Value x, const Step& t, const Rotary& rotary) {
  const auto index = static_cast<size_t>(i);
  const Value in = c.norm(s["input_layernorm"], x);  // (tokens, width)
  x = x + (c.attends[index] ? gated_attention(s["self_attn"], c, in, t, rotary)
                            : delta_net(s["linear_attn"], t, in, c.delta));
  const Scope m = s["mlp"];
  const Value y = c.norm(s["post_attention_layernorm"], x);
  return x +
         (c.sparse[index] ? mixture(m, y, c.experts) + gated_shared_expert(m, y, c.shared) : gated_mlp(m, y, c.dense));
}

}  // namespace

Blueprint qwen3_next_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const Qwen3Next c(config);
  const auto body = [c](const Scope& s, const Step& t, HiddenStates& hidden) {
    const Rotary rotary(t, c.rope, c.heads.head_dim);
    const Value x = embedding(s["embed_tokens"], t.token_ids(), c.vocabulary, c.heads.hidden);
    const auto one = [&](const Scope& l, int64_t i, Value in) { return layer(l, c, i, in, t, rotary); };
    return c.norm(s["norm"], run_layers(s["layers"], c.layers, x, hidden, one));
  };
  return decoder_family(config, {.name = "Qwen3Next",
                                 .tied = config.bool_or("tie_word_embeddings", false),
                                 .vocabulary = c.vocabulary,
                                 .max_positions = config.size_at("max_position_embeddings"),
                                 .body = body,
                                 .stale = {"mtp.*"}});
}

}  // namespace braid
