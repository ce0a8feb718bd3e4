#include "models/blocks/granite.h"

#include <utility>

namespace braid {

LlamaLike granite_like(const Config& config) {
  LlamaLike c(config);
  c.attention.bias = c.attention.output_bias = config.bool_or("attention_bias", false);
  c.mlp.bias = config.bool_or("mlp_bias", false);
  c.attention.how.scale = config.real_or("attention_multiplier", 1);
  c.embedding_scale = config.real_or("embedding_multiplier", 1);
  c.residual_scale = config.real_or("residual_multiplier", 1);
  return c;
}

Decoder granite_decoder(std::string name, const Config& config, const LlamaLike& c) {
  Decoder decoder = llama_like(std::move(name), c);
  decoder.logit_scale = 1 / config.real_or("logits_scaling", 1);
  return decoder;
}

GraniteMixture::GraniteMixture(const Config& c)
    : shared_{.inner = c.int_or("shared_intermediate_size", 0, {0, kSizeRange.most}),
              .activation = activation_name(c, "hidden_act")} {
  if (c.int_at("num_local_experts", {0, 4096}) == 0) {
    if (shared_.inner == 0) c.fail("shared_intermediate_size", "there are neither experts nor a shared one");
    return;
  }
  experts_ = mixture_of(c, "intermediate_size");
  experts_.routing.renormalise = true;
  experts_.router = "router.layer";
  experts_.up = "input_linear";
  experts_.down = "output_linear";
}

Value GraniteMixture::operator()(const Scope& layer, Value x) const {
  const auto shared = [&] {
    return fused_gated_mlp(layer["shared_mlp"], x, shared_, {.both = "input_linear", .down = "output_linear"});
  };
  if (experts_.experts == 0) return shared();
  const Value chosen = stacked_mixture(layer["block_sparse_moe"], x, experts_);
  return shared_.inner == 0 ? chosen : chosen + shared();
}

}  // namespace braid
