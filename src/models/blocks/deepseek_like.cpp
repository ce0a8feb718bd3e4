#include "models/blocks/deepseek_like.h"

#include <utility>

namespace braid {

DeepseekMixture::DeepseekMixture(const Config& c, Routing routing, bool with_correction)
    : experts{.experts = expert_count(c, "n_routed_experts"),
              .routing = routing,
              .inner = c.size_at("moe_intermediate_size"),
              .activation = activation_name(c, "hidden_act")},
      correction(with_correction),
      dense{.inner = c.size_at("intermediate_size"), .activation = experts.activation},
      shared{.inner = experts.inner * c.int_or("n_shared_experts", 0, {0, 4096}), .activation = experts.activation},
      first(c.int_or("first_k_dense_replace", 0, {0, kSizeRange.most})),
      interval(c.size_or("moe_layer_freq", 1)) {
  if (experts.experts % routing.groups != 0) c.fail("n_group", "the groups do not divide the experts");
  if (routing.group_best > experts.experts / routing.groups) c.fail("n_group", "a group has too few experts");
  experts.routing.chosen = c.int_at("num_experts_per_tok", {1, experts.experts / routing.groups * routing.kept_groups});
  experts.routing.scale = c.real_or("routed_scaling_factor", 1);
}

Value DeepseekMixture::operator()(const Scope& m, int64_t layer, Value x) const {
  if (layer < first || layer % interval != 0) return gated_mlp(m, x, dense);
  const Value bias = correction ? m["gate"].floats("e_score_correction_bias", {experts.experts}) : Value{};
  const Value y = mixture(m, x, experts, bias);
  return shared.inner == 0 ? y : y + gated_mlp(m["shared_experts"], x, shared);
}

Routing grouped_sigmoid_routing(const Config& c) {
  const int64_t groups = c.size_or("n_group", 1);
  return {.chosen = 1,
          .renormalise = c.bool_or("norm_topk_prob", true),
          .scores = Routing::Scores::sigmoid,
          .groups = groups,
          .kept_groups = c.int_or("topk_group", 1, {1, groups}),
          .group_best = 2};
}

std::vector<std::string> prediction_layers(const Config& c, std::string_view layers) {
  std::vector<std::string> patterns;
  const int64_t count = c.layers(), more = c.int_or("num_nextn_predict_layers", 0, {0, count});
  for (int64_t i = count; i < count + more; ++i)
    patterns.push_back(std::string(layers) + "." + std::to_string(i) + ".*");
  return patterns;
}

Decoder deepseek_like(std::string name, const Config& config, const DeepseekMixture& mixture, Pairs pairs) {
  const RopeConfig rope = config.rope();
  const Mla mla(config, rope);
  const Norm norm{rms_norm, config.real_at("rms_norm_eps")};
  const int64_t layers = config.layers(), vocabulary = config.vocabulary();
  const auto body = [=](const Scope& s, const Step& t, HiddenStates& hidden) {
    const Rotary rotary(t, rope, mla.turned, pairs);
    const auto layer = [&](const Scope& l, int64_t i, Value x) {  // x: (tokens, width)
      x = x + latent_attention(l["self_attn"], t, norm(l["input_layernorm"], x), mla, rotary);
      return x + mixture(l["mlp"], i, norm(l["post_attention_layernorm"], x));
    };
    const Value x = embedding(s["embed_tokens"], t.token_ids(), vocabulary, mla.width);
    return norm(s["norm"], run_layers(s["layers"], layers, x, hidden, layer));
  };
  return {.name = std::move(name),
          .tied = config.bool_or("tie_word_embeddings", false),
          .vocabulary = vocabulary,
          .max_positions = config.size_at("max_position_embeddings"),
          .body = body,
          .stale = prediction_layers(config, "model.layers")};
}

}  // namespace braid
