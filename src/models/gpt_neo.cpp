// GPT-Neo (Black et al., 2021): GPT-2 with every second layer under a sliding window, scores that are not scaled, and
// separate tensors for queries, keys and values.

#include "models/blocks/decoder.h"

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

struct GptNeo {
  explicit GptNeo(const Config& c)
      : attention{.heads = c.heads_and_dims({.heads = "num_heads"}),
                  .how = {},  // the scale is 1
                  .output_bias = true,
                  .output = "out_proj"},
        mlp{.inner = c.size_or("intermediate_size", 4 * attention.heads.hidden),
            .activation = activation_name(c, "activation_function"),
            .bias = true},
        norm{layer_norm, c.real_at("layer_norm_epsilon")},
        layers(c.layers("num_layers")),
        vocabulary(c.vocabulary()),
        positions(c.size_at("max_position_embeddings")),
        windows(windows_of(c, layers)) {}

  SelfAttention attention;
  Mlp mlp;
  Norm norm;
  int64_t layers, vocabulary, positions;
  std::vector<int64_t> windows;
};

Value body(const Scope& s, const GptNeo& c, const Step& t, HiddenStates& hidden) {
  SelfAttention attention = c.attention;
  const int64_t width = attention.heads.hidden;
  const Value x =
      embedding(s["wte"], t.token_ids(), c.vocabulary, width) + embedding(s["wpe"], t.positions(), c.positions, width);
  const Value y = run_layers(s["h"], c.layers, x, hidden, [&](const Scope& l, int64_t i, Value in) {
    attention.how.window = c.windows[static_cast<size_t>(i)];
    in = in + self_attention_block(l["attn"]["attention"], t, c.norm(l["ln_1"], in), attention);
    return in + plain_mlp(l["mlp"], c.norm(l["ln_2"], in), c.mlp, "c_fc", "c_proj");
  });
  return c.norm(s["ln_f"], y);
}

}  // namespace

Blueprint gpt_neo_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const GptNeo c(config);
  return decoder_family(
      config, {.name = "GPTNeo",
               .model = "transformer",
               .embeddings = "wte",
               .tied = config.bool_or("tie_word_embeddings", true),
               .vocabulary = c.vocabulary,
               .max_positions = c.positions,
               .body = [c](const Scope& s, const Step& t, HiddenStates& hidden) { return body(s, c, t, hidden); },
               .stale = {"*.attention.bias", "*.attention.masked_bias"}});  // causal masks of old files
}

}  // namespace braid
