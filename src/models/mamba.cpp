// Mamba (arXiv:2312.00752): no attention. A gated block of a short causal convolution and a selective state-space
// recurrence; both keep a state per sequence, of a size that does not grow.

#include "models/blocks/ssm.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 768, "num_hidden_layers": 32, "state_size": 16, "conv_kernel": 4, "expand": 2,
  "time_step_rank": "auto", "vocab_size": 50280, "layer_norm_epsilon": 1e-5, "hidden_act": "silu",
  "tie_word_embeddings": true})";

}  // namespace

Blueprint mamba_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const auto mixer = [how = mamba1_of(config)](const Scope& s, const Step& t, Value x) { return mamba1(s, t, x, how); };
  return decoder_family(config, pure_mamba("Mamba", config, mixer));
}

}  // namespace braid
