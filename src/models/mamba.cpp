// Mamba (arXiv:2312.00752): no attention. A gated block of a short causal convolution and a selective state-space
// recurrence; both keep a state per sequence, of a size that does not grow.

#include "models/blocks/decoder.h"
#include "models/blocks/ssm.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 768, "num_hidden_layers": 32, "state_size": 16, "conv_kernel": 4, "expand": 2,
  "time_step_rank": "auto", "vocab_size": 50280, "layer_norm_epsilon": 1e-5, "hidden_act": "silu",
  "tie_word_embeddings": true})";

Mamba1 mixer_of(const Config& c) {
  const int64_t width = c.size_at("hidden_size");
  return {.width = width,
          .inner = c.size_or("intermediate_size", c.size_at("expand") * width),
          .state = c.size_at("state_size"),
          .rank = c.at("time_step_rank").is_string() ? (width + 15) / 16 : c.size_at("time_step_rank"),  // "auto"
          .conv = {.kernel = c.int_at("conv_kernel", {2, kSizeRange.most}), .bias = c.bool_or("use_conv_bias", true)},
          .activation = activation_name(c, "hidden_act"),
          .bias = c.bool_or("use_bias", false)};
}

}  // namespace

Blueprint mamba_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const Mamba1 mixer = mixer_of(config);
  const Norm norm{rms_norm, config.real_at("layer_norm_epsilon")};
  const int64_t vocabulary = config.vocabulary(), layers = config.layers();
  const auto body = [=](const Scope& s, const Step& t, HiddenStates& hidden) {
    // The residual stream is f32 here whatever `residual_in_fp32` says: so are all activations.
    Value x = embedding(s["embeddings"], t.token_ids(), vocabulary, mixer.width);
    for (int64_t i = 0; i < layers; ++i) {
      const Scope block = s["layers"][i];
      x = x + mamba1(block["mixer"], t, norm(block["norm"], x), mixer);
      hidden.add(x);  // transformers counts from the first layer's output here
    }
    return norm(s["norm_f"], x);
  };
  return decoder_family(config, {.name = "Mamba",
                                 .model = "backbone",
                                 .embeddings = "embeddings",
                                 .tied = config.bool_or("tie_word_embeddings", true),
                                 .vocabulary = vocabulary,
                                 .body = body,
                                 .renames = {{"embeddings.", "embedding."}}});  // files of the authors
}

}  // namespace braid
