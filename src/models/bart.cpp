// BART (arXiv:1910.13461): an encoder of tokens and a decoder that attends to it, with learned positions and LayerNorm
// after each block.

#include <cmath>

#include "models/family.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "d_model": 1024, "encoder_layers": 12, "encoder_attention_heads": 16, "encoder_ffn_dim": 4096, "decoder_layers": 12,
  "decoder_attention_heads": 16, "decoder_ffn_dim": 4096, "vocab_size": 50265, "max_position_embeddings": 1024,
  "activation_function": "gelu"})";
constexpr double kEpsilon = 1e-5;  // torch's default, which BART configs do not name
constexpr PostNormNames kNames{.qkv = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"},
                               .out = "self_attn.out_proj",
                               .attention_norm = "self_attn_layer_norm",
                               .up = "fc1",
                               .down = "fc2",
                               .norm = "final_layer_norm"};

PostNormSizes tower(const Config& c, const std::string& name) {
  return {.heads = c.heads_and_dims({.hidden = "d_model", .heads = name + "_attention_heads"}),
          .inner = c.size_at(name + "_ffn_dim"),
          .epsilon = kEpsilon,
          .activation = activation_name(c, "activation_function")};
}

struct Bart {
  explicit Bart(const Config& c)
      : encoder(tower(c, "encoder")),
        decoder(tower(c, "decoder")),
        encoder_layers(c.layers("encoder_layers")),
        decoder_layers(c.layers("decoder_layers")),
        width(encoder.heads.hidden),
        vocabulary(c.vocabulary()),
        positions(c.size_at("max_position_embeddings")),
        scale(c.bool_or("scale_embedding", false) ? std::sqrt(static_cast<double>(width)) : 1.0),
        tied(c.bool_or("tie_word_embeddings", true)) {}

  PostNormSizes encoder, decoder;
  int64_t encoder_layers, decoder_layers, width, vocabulary, positions;
  double scale;
  bool tied;
};

/// The first two rows of a table of positions are of no token.
Value embeddings(const Scope& model, std::string_view tower, const Bart& c, const Step& t) {
  const Scope s = model[tower];
  Value x = embedding(c.tied ? model["shared"] : s["embed_tokens"], t.token_ids(), c.vocabulary, c.width);
  if (c.scale != 1) x = x * c.scale;
  x = x + embedding(s["embed_positions"], t.positions() + 2.0, c.positions + 2, c.width);
  return layer_norm(s["layernorm_embedding"], x, kEpsilon);
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
    x = post_norm_layer(model["encoder"]["layers"][i], t, x, c.encoder, kNames);
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
  const Scope a = s["self_attn"], cross = s["encoder_attn"];
  const double scale = 1 / std::sqrt(c.decoder.heads.head_dim);
  const auto [q, k, v] = queries_keys_values(a, x, c.decoder.heads, kBias);
  const Value own = a.project("out_proj", self_attention(a, t, q, k, v, {.scale = scale}), c.width, kBias);
  x = layer_norm(s["self_attn_layer_norm"], x + own, kEpsilon);
  const Value query = split_heads(cross.project("q_proj", x, c.width, kBias), c.decoder.heads.head_dim);
  const Value seen = cross_attention(t, source, query, {.scale = scale, .causal = false, .lengths = lengths});
  x = layer_norm(s["encoder_attn_layer_norm"], x + cross.project("out_proj", seen, c.width, kBias), kEpsilon);
  const Value mlp = plain_mlp(s, x, {c.decoder.inner, c.decoder.activation, kBias}, "fc1", "fc2");
  return layer_norm(s["final_layer_norm"], x + mlp, kEpsilon);
}

void decode(const Scope& root, const Bart& c, const Step& t) {
  const Scope model = root["model"];
  HiddenStates hidden(t, "decoder_hidden");
  const Value lengths = source_lengths(t);
  Value x = embeddings(model, "decoder", c, t);
  hidden.add(x);
  for (int64_t i = 0; i < c.decoder_layers; ++i) {
    x = decoder_layer(model["decoder"]["layers"][i], c, t, x, source_of(model, c, t, i), lengths);
    hidden.add(x);
  }
  Value logits = token_logits(c.tied ? model["shared"] : root["lm_head"], t, x, c.vocabulary);
  if (root.has("final_logits_bias")) logits = logits + root.floats("final_logits_bias", {1, c.vocabulary});
  t.builder().output("logits", logits);
}

}  // namespace

Blueprint bart_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const Bart c(config);
  return {.architecture = architecture(config, {"BartForConditionalGeneration"}),
          .entries = {{"encode", [c](const Scope& root, const Step& t) { encode(root, c, t); }},
                      {"decode", [c](const Scope& root, const Step& t) { decode(root, c, t); }}},
          .vocabulary = c.vocabulary,
          .max_positions = c.positions,
          .renames = {{"model.", ""}},
          .stale = {"*.embed_tokens.weight", "*shared.weight", "lm_head.weight", "*classification_head*"}};
}

}  // namespace braid
