// Mamba-2 (arXiv:2405.21060): Mamba with heads, whose recurrence is one decay per head; no attention.

#include "models/blocks/ssm.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 4096, "num_hidden_layers": 64, "num_heads": 128, "head_dim": 64, "state_size": 128, "n_groups": 8,
  "conv_kernel": 4, "expand": 2, "vocab_size": 32768, "layer_norm_epsilon": 1e-5, "hidden_act": "silu"})";

Mamba2 mixer_of(const Config& c) {
  Mamba2 how{
      .width = c.size_at("hidden_size"),
      .heads = c.size_at("num_heads"),
      .head_dim = c.size_at("head_dim"),
      .groups = c.size_at("n_groups"),
      .state = c.size_at("state_size"),
      .conv = {.kernel = c.int_at("conv_kernel", {2, kSizeRange.most}), .bias = c.bool_or("use_conv_bias", true)},
      .activation = activation_name(c, "hidden_act"),
      .bias = c.bool_or("use_bias", false),
      .output_bias = c.bool_or("use_bias", false),
      .epsilon = c.real_at("layer_norm_epsilon")};
  if (how.heads * how.head_dim != c.size_at("expand") * how.width)
    c.fail("num_heads", std::to_string(how.heads) + " heads of " + std::to_string(how.head_dim) + " do not make " +
                            std::to_string(c.size_at("expand") * how.width) + " channels");
  if (how.heads % how.groups != 0) c.fail("n_groups", "the groups do not divide the heads");
  how.norm_groups = how.groups;
  how.read_step_limit(c);
  return how;
}

}  // namespace

Blueprint mamba2_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const auto mixer = [how = mixer_of(config)](const Scope& s, const Step& t, Value x) { return mamba2(s, t, x, how); };
  return decoder_family(config, pure_mamba("Mamba2", config, mixer));
}

}  // namespace braid
