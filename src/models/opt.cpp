// OPT (arXiv:2205.01068): learned positions that begin at 2, ReLU; LayerNorm before each block, but after it in
// OPT-350m, which also has embeddings of another width.

#include <cmath>

#include "models/blocks/decoder.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 768, "num_attention_heads": 12, "num_hidden_layers": 12, "ffn_dim": 3072, "vocab_size": 50272,
  "max_position_embeddings": 2048, "activation_function": "relu"})";
constexpr int64_t kFirstPosition = 2;  // row of the table of positions
constexpr double kEpsilon = 1e-5;      // torch's; no config says it

struct Opt {
  explicit Opt(const Config& c)
      : attention{.heads = c.heads_and_dims(),
                  .how = {},
                  .bias = c.bool_or("enable_bias", true),
                  .output_bias = c.bool_or("enable_bias", true),
                  .output = "out_proj"},
        mlp{.inner = c.size_at("ffn_dim"),
            .activation = activation_name(c, "activation_function"),
            .bias = attention.bias},
        norm{layer_norm, kEpsilon},
        before(c.bool_or("do_layer_norm_before", true)),
        final_norm(before && !c.bool_or("_remove_final_layer_norm", false)),
        layers(c.layers()),
        vocabulary(c.vocabulary()),
        positions(c.size_at("max_position_embeddings")),
        embedded(c.size_or("word_embed_proj_dim", attention.heads.hidden)) {
    attention.how.scale = 1 / std::sqrt(attention.heads.head_dim);
    if (!c.bool_or("layer_norm_elementwise_affine", true)) norm.kind = layer_norm_without_weight;
  }

  SelfAttention attention;
  Mlp mlp;
  Norm norm;
  bool before, final_norm;
  int64_t layers, vocabulary, positions, embedded;
};

/// A block with its norm before or after it.
template <class Block>
Value with_norm(const Scope& norm, const Opt& c, Value x, Block&& block) {
  return c.before ? x + block(c.norm(norm, x)) : c.norm(norm, x + block(x));
}

Value layer(const Scope& s, const Opt& c, Value x, const Step& t) {
  x = with_norm(s["self_attn_layer_norm"], c, x,
                [&](Value y) { return self_attention_block(s["self_attn"], t, y, c.attention); });
  return with_norm(s["final_layer_norm"], c, x, [&](Value y) { return plain_mlp(s, y, c.mlp, "fc1", "fc2"); });
}

Value body(const Scope& model, const Opt& c, const Step& t, HiddenStates& hidden) {
  const Scope s = model["decoder"];
  const int64_t width = c.attention.heads.hidden;
  Value x = embedding(s["embed_tokens"], t.token_ids(), c.vocabulary, c.embedded);
  if (c.embedded != width) x = s.project("project_in", x, width);
  x = x + embedding(s["embed_positions"], t.positions() + kFirstPosition, c.positions + kFirstPosition, width);
  x = run_layers(s["layers"], c.layers, x, hidden,
                 [&](const Scope& l, int64_t, Value in) { return layer(l, c, in, t); });
  if (c.final_norm) x = c.norm(s["final_layer_norm"], x);
  return c.embedded == width ? x : s.project("project_out", x, c.embedded);
}

}  // namespace

Blueprint opt_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const Opt c(config);
  return decoder_family(
      config, {.name = "OPT",
               .embeddings = "decoder.embed_tokens",
               .tied = config.bool_or("tie_word_embeddings", true),
               .vocabulary = c.vocabulary,
               .max_positions = c.positions,
               .body = [c](const Scope& s, const Step& t, HiddenStates& hidden) { return body(s, c, t, hidden); }});
}

}  // namespace braid
