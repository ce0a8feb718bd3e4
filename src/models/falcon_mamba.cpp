// Falcon-Mamba (arXiv:2410.05355): Mamba with norms, without weights, of what steers its recurrence.

#include "models/blocks/ssm.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 768, "num_hidden_layers": 32, "state_size": 16, "conv_kernel": 4, "expand": 2,
  "time_step_rank": "auto", "vocab_size": 50280, "layer_norm_epsilon": 1e-5, "mixer_rms_eps": 1e-6,
  "hidden_act": "silu", "tie_word_embeddings": true})";

}  // namespace

Blueprint falcon_mamba_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  Mamba1 how = mamba1_of(config);
  how.inner_norms = config.real_at("mixer_rms_eps");
  how.weightless = true;
  const auto mixer = [how](const Scope& s, const Step& t, Value x) { return mamba1(s, t, x, how); };
  return decoder_family(config, pure_mamba("FalconMamba", config, mixer));
}

}  // namespace braid
