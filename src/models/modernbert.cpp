// ModernBERT (arXiv:2412.13663): norms before each block, rotary positions, gated MLPs; every third layer sees all, the
// others a window on both sides, with a base of their own.

#include <cmath>

#include "models/family.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 768, "num_attention_heads": 12, "num_hidden_layers": 22, "intermediate_size": 1152,
  "vocab_size": 50368, "max_position_embeddings": 8192, "norm_eps": 1e-5, "hidden_activation": "gelu",
  "classifier_activation": "gelu", "local_attention": 128, "global_attn_every_n_layers": 3,
  "global_rope_theta": 160000.0, "local_rope_theta": 10000.0})";

RopeConfig rope_of(const Config& c, std::string_view layer_type, std::string_view old_key) {
  const double theta = c.real_at(old_key);
  return c.has("rope_parameters") ? c.rope(theta, layer_type) : RopeConfig{.theta = theta};
}

struct ModernBert {
  explicit ModernBert(const Config& c)
      : heads(c.heads_and_dims()),
        layers(c.layers()),
        vocabulary(c.vocabulary()),
        positions(c.size_at("max_position_embeddings")),
        inner(c.size_at("intermediate_size")),
        epsilon(c.real_at("norm_eps")),
        activation(activation_name(c, "hidden_activation")),
        head_activation(activation_name(c, "classifier_activation")),
        all(rope_of(c, "full_attention", "global_rope_theta")),
        near(rope_of(c, "sliding_attention", "local_rope_theta")),
        norm_bias(c.bool_or("norm_bias", false)),
        attention_bias(c.bool_or("attention_bias", false)),
        mlp_bias(c.bool_or("mlp_bias", false)),
        head_bias(c.bool_or("classifier_bias", false)),
        decoder_bias(c.bool_or("decoder_bias", true)),
        tied(c.bool_or("tie_word_embeddings", true)) {
    // Half of local_attention on either side of a token, beside itself.
    const int64_t window = c.int_at("local_attention", {.least = 2, .most = kSizeRange.most}) / 2 + 1;
    const int64_t every = c.size_at("global_attn_every_n_layers");
    windows = layer_windows(
        c, layers, [every](int64_t i) { return i % every != 0; }, window);
    const std::string pooling = c.string_or("classifier_pooling", "cls");
    if (pooling != "cls" && pooling != "mean")
      c.fail("classifier_pooling", "\"" + pooling + "\" is no pooling", "there is cls and mean");
    mean_pooling = pooling == "mean";
  }

  HeadConfig heads;
  int64_t layers, vocabulary, positions, inner;
  double epsilon;
  std::string activation, head_activation;
  RopeConfig all, near;
  std::vector<int64_t> windows;
  bool norm_bias, attention_bias, mlp_bias, head_bias, decoder_bias, tied, mean_pooling = false;
};

Value norm(const Scope& s, const ModernBert& c, Value x) {
  return c.norm_bias ? layer_norm(s, x, c.epsilon) : layer_norm_without_bias(s, x, c.epsilon);
}

Value layer(const Scope& s, const ModernBert& c, const Step& t, Value x, int64_t index, const Rotary& rotary) {
  const Within here(s);
  const int64_t width = c.heads.hidden;
  const Value y = index == 0 ? x : norm(s["attn_norm"], c, x);  // the embeddings have just been normalised
  auto [q, k, v] = fused_queries_keys_values(s["attn"], "Wqkv", y, c.heads, c.attention_bias);
  const Attend how{
      .scale = 1 / std::sqrt(c.heads.head_dim), .causal = false, .window = c.windows[static_cast<size_t>(index)]};
  q = rotary(q, t.positions());
  k = rotary(k, t.positions());
  x = x + s["attn"].project("Wo", merge_heads(attend(q, k, v, t.span_start(), how)), width, c.attention_bias);

  const Value both = s["mlp"].project("Wi", norm(s["mlp_norm"], c, x), 2 * c.inner, c.mlp_bias);
  const Value inner = activation(c.activation, slice(both, -1, 0, c.inner)) * slice(both, -1, c.inner, 2 * c.inner);
  return x + s["mlp"].project("Wo", inner, width, c.mlp_bias);
}

Value encoder(const Scope& s, const Step& t, const ModernBert& c) {
  HiddenStates hidden(t, "hidden");
  const Rotary all(t, c.all, c.heads.head_dim), near(t, c.near, c.heads.head_dim);
  const Scope e = s["embeddings"];
  Value x = norm(e["norm"], c, embedding(e["tok_embeddings"], t.token_ids(), c.vocabulary, c.heads.hidden));
  for (int64_t i = 0; i < c.layers; ++i) {
    hidden.add(x);
    x = layer(s["layers"][i], c, t, x, i, c.windows[static_cast<size_t>(i)] > 0 ? near : all);
  }
  x = norm(s["final_norm"], c, x);
  hidden.add(x);
  return x;
}

}  // namespace

Blueprint modernbert_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const ModernBert c(config);

  const auto head = [c](const Scope& root, Value x) {
    const Scope s = root["head"];
    return norm(s["norm"], c, activation(c.head_activation, s.project("dense", x, c.heads.hidden, c.head_bias)));
  };
  const auto predict = [c, head](const Scope& root, Value x) {
    const Scope table = c.tied ? root["model"]["embeddings"]["tok_embeddings"] : root["decoder"];
    const Value bias = c.decoder_bias ? root["decoder"].floats("bias", {c.vocabulary}) : Value{};
    return linear(head(root, x), table.weight({c.vocabulary, c.heads.hidden}), bias);
  };
  const auto summarise = [c, head](const Scope& root, const Step& t, Value x) {
    return head(root, c.mean_pooling ? mean_of_each(t, x) : first_of_each(t, x));
  };
  Blueprint family =
      encoder_blueprint(config, {.name = "ModernBert",
                                 .base = "model",
                                 .vocabulary = c.vocabulary,
                                 .max_positions = c.positions,
                                 .labels = label_count(config),
                                 .encode = [c](const Scope& base, const Step& t) { return encoder(base, t, c); },
                                 .predict = predict,
                                 .summarise = summarise,
                                 .refine = head,
                                 .span_head = "classifier"});
  family.stale = {"head.*", "decoder.*"};
  return family;
}

}  // namespace braid
