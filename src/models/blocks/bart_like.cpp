#include "models/blocks/bart_like.h"

#include <cmath>
#include <vector>

#include "models/family.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "d_model": 1024, "encoder_layers": 12, "encoder_attention_heads": 16, "encoder_ffn_dim": 4096, "decoder_layers": 12,
  "decoder_attention_heads": 16, "decoder_ffn_dim": 4096, "vocab_size": 50265, "max_position_embeddings": 1024,
  "activation_function": "gelu"})";
constexpr double kEpsilon = 1e-5;  // torch's default, which BART configs do not name
constexpr int64_t kFirstRow = 2;   // the first two rows of a table of positions are of no token

PostNormSizes tower(const Config& c, const std::string& name) {
  return {.heads = c.heads_and_dims({.hidden = "d_model", .heads = name + "_attention_heads"}),
          .inner = c.size_at(name + "_ffn_dim"),
          .epsilon = kEpsilon,
          .activation = activation_name(c, "activation_function")};
}

struct Bart {
  Bart(const Config& c, BartKind how)
      : kind(std::move(how)),
        encoder(tower(c, "encoder")),
        decoder(tower(c, "decoder")),
        encoder_layers(c.layers("encoder_layers")),
        decoder_layers(c.layers("decoder_layers")),
        width(encoder.heads.hidden),
        vocabulary(c.vocabulary()),
        positions(c.size_at("max_position_embeddings")),
        scale(c.bool_or("scale_embedding", false) ? std::sqrt(static_cast<double>(width)) : 1.0),
        tied(c.bool_or("tie_word_embeddings", true)) {}

  BartKind kind;
  PostNormSizes encoder, decoder;
  int64_t encoder_layers, decoder_layers, width, vocabulary, positions;
  double scale;
  bool tied;
};

/// The rows of a table of sines that a step's tokens stand at → (tokens, width). It is computed as the reference
/// computes it, in higher precision, for angles are large.
Value sines(const Bart& c, const Step& t) {
  const int64_t half = c.width / 2;
  std::vector<float> table(static_cast<size_t>(c.positions * c.width));
  for (int64_t p = 0; p < c.positions; ++p)
    for (int64_t i = 0; i < half; ++i) {
      const double power = static_cast<double>(i) / static_cast<double>(half - 1);
      const double angle = static_cast<double>(p + kFirstRow) * std::pow(10000.0, -power);
      float* row = table.data() + p * c.width;
      row[i] = static_cast<float>(std::sin(angle));
      row[half + i] = static_cast<float>(std::cos(angle));
    }
  const Tensor tensor = Tensor::of({c.positions, c.width}, std::span<const float>(table));
  return gather(t.builder().constant(tensor), t.positions());
}

Value embeddings(const Scope& model, std::string_view tower, const Bart& c, const Step& t) {
  const Scope s = model[tower];
  Value x = embedding(c.tied ? model["shared"] : s["embed_tokens"], t.token_ids(), c.vocabulary, c.width);
  if (c.scale != 1) x = x * c.scale;
  x = x + (c.kind.sines
               ? sines(c, t)
               : embedding(s["embed_positions"], t.positions() + double{kFirstRow}, c.positions + kFirstRow, c.width));
  return c.kind.embedding_norm ? layer_norm(s["layernorm_embedding"], x, kEpsilon) : x;
}

/// The norm behind the last layer, where layers norm what they read.
Value last_norm(const Scope& tower, const Bart& c, Value x) {
  return c.kind.pre_norm ? layer_norm(tower["layer_norm"], x, kEpsilon) : x;
}

/// x + block(norm(x)), or norm(x + block(x)).
template <class Block>
Value around(const Scope& norm, const Bart& c, Value x, const Block& block) {
  return c.kind.pre_norm ? x + block(layer_norm(norm, x, kEpsilon)) : layer_norm(norm, x + block(x), kEpsilon);
}

/// x (tokens, width) through SCOPE.self_attn; a decoder's sees what came before.
Value own_attention(const Scope& s, const PostNormSizes& c, const Step& t, Value x, bool causal) {
  const Scope a = s["self_attn"];
  const auto [q, k, v] = queries_keys_values(a, x, c.heads, kBias);
  const Attend how{.scale = 1 / std::sqrt(c.heads.head_dim), .causal = causal};
  const Value seen = causal ? self_attention(a, t, q, k, v, how) : merge_heads(attend(q, k, v, t.span_start(), how));
  return a.project("out_proj", seen, c.heads.hidden, kBias);
}

Value mlp(const Scope& s, const PostNormSizes& c, Value x) {
  return plain_mlp(s, x, {c.inner, c.activation, kBias}, "fc1", "fc2");
}

Scope cross_of(const Scope& model, int64_t layer) { return model["decoder"]["layers"][layer]["encoder_attn"]; }

SourceStates source_of(const Scope& model, const Bart& c, const Step& t, int64_t layer) {
  return source_states(cross_of(model, layer), t,
                       {t.options().source_tokens, c.decoder.heads.heads, c.decoder.heads.head_dim});
}

void encode(const Scope& root, const Bart& c, const Step& t) {
  const Scope model = root["model"];
  HiddenStates hidden(t, "encoder_hidden");
  Value x = embeddings(model, "encoder", c, t);
  hidden.add(x);
  for (int64_t i = 0; i < c.encoder_layers; ++i) {
    const Scope l = model["encoder"]["layers"][i];
    const Within here(l);
    x = around(l["self_attn_layer_norm"], c, x, [&](Value y) { return own_attention(l, c.encoder, t, y, false); });
    x = around(l["final_layer_norm"], c, x, [&](Value y) { return mlp(l, c.encoder, y); });
    if (i + 1 == c.encoder_layers) x = last_norm(model["encoder"], c, x);
    hidden.add(x);
  }
  t.builder().output("encoder_last_hidden_state", x);
  write_source_lengths(t);
  for (int64_t i = 0; i < c.decoder_layers; ++i) {
    const auto [k, v] = cross_of(model, i).project({{"k_proj", c.width}, {"v_proj", c.width}}, x, kBias);
    write_ragged_source(t, source_of(model, c, t, i), k, v);
  }
}

Value decoder_layer(const Scope& s, const Bart& c, const Step& t, Value x, const SourceStates& source, Value lengths) {
  const Within here(s);
  const Scope cross = s["encoder_attn"];
  const double scale = 1 / std::sqrt(c.decoder.heads.head_dim);
  x = around(s["self_attn_layer_norm"], c, x, [&](Value y) { return own_attention(s, c.decoder, t, y, true); });
  x = around(s["encoder_attn_layer_norm"], c, x, [&](Value y) {
    const Value query = split_heads(cross.project("q_proj", y, c.width, kBias), c.decoder.heads.head_dim);
    const Value seen = cross_attention(t, source, query, {.scale = scale, .causal = false, .lengths = lengths});
    return cross.project("out_proj", seen, c.width, kBias);
  });
  return around(s["final_layer_norm"], c, x, [&](Value y) { return mlp(s, c.decoder, y); });
}

void decode(const Scope& root, const Bart& c, const Step& t) {
  const Scope model = root["model"];
  HiddenStates hidden(t, "decoder_hidden");
  const Value lengths = source_lengths(t);
  Value x = embeddings(model, "decoder", c, t);
  hidden.add(x);
  for (int64_t i = 0; i < c.decoder_layers; ++i) {
    x = decoder_layer(model["decoder"]["layers"][i], c, t, x, source_of(model, c, t, i), lengths);
    if (i + 1 == c.decoder_layers) x = last_norm(model["decoder"], c, x);
    hidden.add(x);
  }
  Value logits = token_logits(c.tied ? model["shared"] : root["lm_head"], t, x, c.vocabulary);
  if (root.has("final_logits_bias")) logits = logits + root.floats("final_logits_bias", {1, c.vocabulary});
  t.builder().output("logits", logits);
}

}  // namespace

Blueprint bart_like(const Config& given, const BartKind& kind) {
  const Config config = given.with_defaults(kDefaults);
  const Bart c(config, kind);
  constexpr int64_t kLargestTable = int64_t{1} << 28;
  if (kind.sines && c.positions > kLargestTable / c.width)
    config.fail("max_position_embeddings", "the table of positions would be too large");
  return {.architecture = architecture(config, {c.kind.architecture}),
          .entries = {{"encode", [c](const Scope& root, const Step& t) { encode(root, c, t); }},
                      {"decode", [c](const Scope& root, const Step& t) { decode(root, c, t); }}},
          .vocabulary = c.vocabulary,
          .max_positions = c.positions,
          .renames = {{"model.", ""}},
          .stale = {"*.embed_tokens.weight", "*shared.weight", "lm_head.weight", "*classification_head*",
                    c.kind.sines ? "*.embed_positions.weight*" : ""}};
}

}  // namespace braid
