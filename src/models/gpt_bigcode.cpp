// StarCoder and SantaCoder (arXiv:2301.03988, 2305.06161): GPT-2 with one key-value head and ordinary linear layers.

#include <cmath>

#include "models/blocks/gpt_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "n_embd": 768, "n_head": 12, "n_layer": 12, "n_positions": 1024, "vocab_size": 50257, "layer_norm_epsilon": 1e-5,
  "activation_function": "gelu_pytorch_tanh"})";

}  // namespace

Blueprint gpt_bigcode_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  refuse(config, "add_cross_attention");
  const bool one_key_head = config.bool_or("multi_query", true);
  HeadConfig heads = config.heads_and_dims({.hidden = "n_embd", .heads = "n_head", .kv_heads = "n_head"});
  if (one_key_head) heads.kv_heads = 1;
  const double scale = config.bool_or("scale_attn_weights", true) ? 1 / std::sqrt(heads.head_dim) : 1;
  const SelfAttention how{.heads = heads, .how = {.scale = scale}, .output_bias = true, .output = "c_proj"};
  const auto queries_keys_values = one_key_head ? fused_queries_keys_values : grouped_queries_keys_values;
  const Mlp mlp{.inner = config.size_or("n_inner", 4 * heads.hidden),
                .activation = activation_name(config, "activation_function"),
                .bias = true};
  const GptLike c{.width = heads.hidden,
                  .layers = config.layers("n_layer"),
                  .vocabulary = config.vocabulary(),
                  .positions = config.size_at("n_positions"),
                  .norm = {layer_norm, config.real_at("layer_norm_epsilon")},
                  .attention =
                      [=](const Scope& s, const Step& t, int64_t, Value x) {
                        const Scope a = s["attn"];
                        return attend_and_project(a, t, queries_keys_values(a, "c_attn", x, heads, kBias), how);
                      },
                  .mlp = [mlp](const Scope& s, Value x) { return plain_mlp(s["mlp"], x, mlp, "c_fc", "c_proj"); }};
  return decoder_family(config, gpt_like("GPTBigCode", config, c));
}

}  // namespace braid
