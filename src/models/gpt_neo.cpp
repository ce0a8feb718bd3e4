// GPT-Neo (Black et al., 2021): GPT-2 with every second layer under a sliding window, scores that are not scaled, and
// separate tensors for queries, keys and values.

#include "models/blocks/gpt_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 2048, "num_heads": 16, "num_layers": 24, "vocab_size": 50257, "max_position_embeddings": 2048,
  "window_size": 256, "layer_norm_epsilon": 1e-5, "activation_function": "gelu_new",
  "attention_types": [[["global", "local"], 12]]})";

/// `attention_types` is a list of (kinds of layers, how often they follow one another).
std::vector<int64_t> windows_of(const Config& c, int64_t layers) {
  const int64_t window = c.size_at("window_size");
  std::vector<int64_t> windows;
  const Json groups = c.at("attention_types");
  for (size_t g = 0; g < groups.size(); ++g) {
    const Json kinds = groups[g][0];
    for (int64_t n = groups[g][1].as_int(); n > 0 && static_cast<int64_t>(windows.size()) < layers; --n)
      for (size_t i = 0; i < kinds.size(); ++i) {
        const std::string_view kind = kinds[i].as_string();
        if (kind != "global" && kind != "local")
          kinds[i].fail("unknown kind of layer \"" + std::string(kind) + "\"", "there are global and local");
        windows.push_back(kind == "local" ? window : 0);
      }
  }
  if (static_cast<int64_t>(windows.size()) != layers)
    groups.fail("the kinds of layers do not make " + std::to_string(layers) + " layers");
  return windows;
}

}  // namespace

Blueprint gpt_neo_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const SelfAttention every{.heads = config.heads_and_dims({.heads = "num_heads"}),
                            .how = {},  // the scale is 1
                            .output_bias = true,
                            .output = "out_proj"};
  const Mlp mlp{.inner = config.size_or("intermediate_size", 4 * every.heads.hidden),
                .activation = activation_name(config, "activation_function"),
                .bias = true};
  const int64_t layers = config.layers("num_layers");
  const GptLike c{.width = every.heads.hidden,
                  .layers = layers,
                  .vocabulary = config.vocabulary(),
                  .positions = config.size_at("max_position_embeddings"),
                  .norm = {layer_norm, config.real_at("layer_norm_epsilon")},
                  .attention =
                      [every, windows = windows_of(config, layers)](const Scope& s, const Step& t, int64_t i, Value x) {
                        SelfAttention attention = every;
                        attention.how.window = windows[static_cast<size_t>(i)];
                        return self_attention_block(s["attn"]["attention"], t, x, attention);
                      },
                  .mlp = [mlp](const Scope& s, Value x) { return plain_mlp(s["mlp"], x, mlp, "c_fc", "c_proj"); }};
  return decoder_family(config, gpt_like("GPTNeo", config, c));
}

}  // namespace braid
