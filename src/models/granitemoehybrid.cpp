// Granite 4 (IBM, 2025): Mamba-2 layers, some attention among them, a mixture of experts beside an expert that every
// token takes, and multipliers.

#include <optional>

#include "models/blocks/decoder.h"
#include "models/blocks/ssm.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_attention_heads": 32, "num_hidden_layers": 32, "intermediate_size": 11008,
  "vocab_size": 32000, "max_position_embeddings": 2048, "rms_norm_eps": 1e-6, "hidden_act": "silu",
  "num_local_experts": 8, "num_experts_per_tok": 2, "shared_intermediate_size": 1024, "mamba_n_heads": 128,
  "mamba_n_groups": 1, "mamba_d_state": 256, "mamba_d_head": "auto", "mamba_d_conv": 4, "mamba_expand": 2})";

struct GraniteHybrid {
  explicit GraniteHybrid(const Config& c)
      : attention{.heads = c.heads_and_dims(),
                  .how = {.scale = c.real_or("attention_multiplier", 1)},
                  .bias = c.bool_or("attention_bias", false),
                  .output_bias = c.bool_or("attention_bias", false)},
        norm{rms_norm, c.real_at("rms_norm_eps")},
        mamba(Mamba2::from(c)),
        shared{.inner = c.size_at("shared_intermediate_size"), .activation = activation_name(c, "hidden_act")},
        layers(c.layers()),
        vocabulary(c.vocabulary()),
        attends(attention_layers(c, layers, {})),
        embedding_scale(c.real_or("embedding_multiplier", 1)),
        residual_scale(c.real_or("residual_multiplier", 1)) {
    mamba.norm_groups = mamba.groups;
    if (c.int_at("num_local_experts", {0, 4096}) == 0) return;  // the dense ones
    experts = mixture_of(c, "intermediate_size");
    experts.routing.renormalise = true;
    experts.router = "router.layer";
    experts.up = "input_linear";
    experts.down = "output_linear";
  }

  SelfAttention attention;
  Norm norm;
  Mamba2 mamba;
  Mlp shared;
  Mixture experts = {};
  int64_t layers, vocabulary;
  std::vector<bool> attends;
  double embedding_scale, residual_scale;
};

Value layer(const Scope& s, const GraniteHybrid& c, int64_t i, Value x, const Step& t) {  // x: (tokens, width)
  const Value in = c.norm(s["input_layernorm"], x);
  x = x + (c.attends[static_cast<size_t>(i)] ? self_attention_block(s["self_attn"], t, in, c.attention)
                                             : mamba2(s["mamba"], t, in, c.mamba)) *
              c.residual_scale;
  const Value y = c.norm(s["post_attention_layernorm"], x);
  const Scope m = s["shared_mlp"];
  const Value both = m.project("input_linear", y, 2 * c.shared.inner);
  const Value inner = activation(c.shared.activation, slice(both, -1, 0, c.shared.inner)) *
                      slice(both, -1, c.shared.inner, 2 * c.shared.inner);
  Value added = m.project("output_linear", inner, x.dim(1).number());
  if (c.experts.experts > 0) added = stacked_mixture(s["block_sparse_moe"], y, c.experts) + added;
  return x + added * c.residual_scale;
}

}  // namespace

Blueprint granitemoehybrid_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const GraniteHybrid c(config);
  const bool rotates = config.string_or("position_embedding_type", "nope") == "rope";
  const auto body = [c, rotates, rope = config.rope()](const Scope& s, const Step& t, HiddenStates& hidden) {
    GraniteHybrid here = c;
    std::optional<Rotary> rotary;
    if (rotates) here.attention.rotary = &rotary.emplace(t, rope, c.attention.heads.head_dim);
    const Value x = embedding(s["embed_tokens"], t.token_ids(), c.vocabulary, c.mamba.width) * c.embedding_scale;
    const auto one = [&](const Scope& l, int64_t i, Value in) { return layer(l, here, i, in, t); };
    return c.norm(s["norm"], run_layers(s["layers"], c.layers, x, hidden, one));
  };
  return decoder_family(config, {.name = "GraniteMoeHybrid",
                                 .tied = config.bool_or("tie_word_embeddings", false),
                                 .vocabulary = c.vocabulary,
                                 .max_positions = config.size_at("max_position_embeddings"),
                                 .body = body,
                                 .logit_scale = 1 / config.real_or("logits_scaling", 1)});
}

}  // namespace braid
