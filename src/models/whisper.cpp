// Whisper (arXiv:2212.04356): an encoder of log-mel frames and a decoder of tokens that attends to it. Two entries:
// "encode" leaves the keys and values of every cross-attention in states of lifetime source, "decode" reads them.

#include <array>
#include <cmath>

#include "models/family.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "d_model": 384, "encoder_layers": 4, "encoder_attention_heads": 6, "encoder_ffn_dim": 1536, "decoder_layers": 4,
  "decoder_attention_heads": 6, "decoder_ffn_dim": 1536, "vocab_size": 51865, "num_mel_bins": 80,
  "max_source_positions": 1500, "max_target_positions": 448, "activation_function": "gelu"})";

struct Tower {
  Tower(const Config& c, const std::string& name)
      : heads(c.heads_and_dims({.hidden = "d_model", .heads = name + "_attention_heads"})),
        layers(c.layers(name + "_layers")),
        inner(c.size_at(name + "_ffn_dim")) {}

  HeadConfig heads;
  int64_t layers, inner;
};

struct Whisper {
  explicit Whisper(const Config& c)
      : encoder(c, "encoder"),
        decoder(c, "decoder"),
        width(encoder.heads.hidden),
        vocabulary(c.vocabulary()),
        mel_bins(c.size_at("num_mel_bins")),
        source(c.size_at("max_source_positions")),
        positions(c.size_at("max_target_positions")),
        activation(activation_name(c, "activation_function")),
        scale_embedding(c.bool_or("scale_embedding", false)),
        tied(c.bool_or("tie_word_embeddings", true)) {}

  Tower encoder, decoder;
  int64_t width, vocabulary, mel_bins, source, positions;
  std::string activation;
  bool scale_embedding, tied;
};

/// With torch's default epsilon, which Whisper configs do not name.
Value norm(const Scope& s, Value x) { return layer_norm(s, x, 1e-5); }

/// x (tokens, width) → queries, keys (which have no bias) and values (tokens, heads, head_dim).
std::array<Value, 3> queries_keys_values(const Scope& s, Value x, const HeadConfig& c) {
  const auto heads = [&](std::string_view name, bool bias) {
    return split_heads(s.project(name, x, c.hidden, bias), c.head_dim);
  };
  return {heads("q_proj", kBias), heads("k_proj", kNoBias), heads("v_proj", kBias)};
}

Value mlp(const Scope& s, const Whisper& c, const Tower& tower, Value x) {
  const Value inner = activation(c.activation, s.project("fc1", norm(s["final_layer_norm"], x), tower.inner, kBias));
  return x + s.project("fc2", inner, c.width, kBias);
}

Value encoder_layer(const Scope& s, const Whisper& c, Value x, Value span_start) {  // x: (sequences * source, width)
  const Within here(s);
  const Scope a = s["self_attn"];
  const auto [q, k, v] = queries_keys_values(a, norm(s["self_attn_layer_norm"], x), c.encoder.heads);
  const Value y = attend(q, k, v, span_start, {.scale = 1 / std::sqrt(c.encoder.heads.head_dim), .causal = false});
  x = x + a.project("out_proj", merge_heads(y), c.width, kBias);
  return mlp(s, c, c.encoder, x);
}

SourceStates source_of(const Scope& cross, const Whisper& c, const Step& t) {
  return source_states(cross, t, {c.source, c.decoder.heads.heads, c.decoder.heads.head_dim});
}

Value decoder_layer(const Scope& s, const Whisper& c, Value x, const Step& t) {  // x: (tokens, width)
  const Within here(s);
  const Scope a = s["self_attn"], cross = s["encoder_attn"];
  const int64_t head_dim = c.decoder.heads.head_dim;
  const double scale = 1 / std::sqrt(head_dim);
  const auto [q, k, v] = queries_keys_values(a, norm(s["self_attn_layer_norm"], x), c.decoder.heads);
  x = x + a.project("out_proj", self_attention(a, t, q, k, v, {.scale = scale}), c.width, kBias);

  const Value query = cross.project("q_proj", norm(s["encoder_attn_layer_norm"], x), c.width, kBias);
  const Value y = cross_attention(t, source_of(cross, c, t), split_heads(query, head_dim), {scale, /*causal=*/false});
  x = x + cross.project("out_proj", y, c.width, kBias);
  return mlp(s, c, c.decoder, x);
}

/// Log-mel frames to (sequences, source, width): two convolutions, of which the second halves the frames.
Value frames(const Scope& s, const Whisper& c, const Step& t) {
  const auto step = [&](const Scope& k, Value x, int64_t stride) {
    const Value y = conv(x, k.floats("weight", {c.width, x.dim(1), 3}), {.stride = {stride}, .padding = {1}});
    return gelu(add_channels(y, k.floats("bias", {c.width})));
  };
  Value x = step(s["conv1"], media(t, "input_features", {c.mel_bins, 2 * c.source}, 2), 1);
  x = transpose(step(s["conv2"], x, 2), {0, 2, 1});
  return x + s["embed_positions"].floats("weight", {c.source, c.width});
}

void encode(const Scope& root, const Whisper& c, const Step& t) {
  const Scope s = root["model"]["encoder"], decoder = root["model"]["decoder"];
  const Shape windows{Symbol::sequences, c.source, c.width}, flat{{Symbol::sequences, c.source}, c.width};
  const Value span_start = iota(t.builder(), {Symbol::sequences, 1, 1}) * static_cast<double>(c.source);
  HiddenStates hidden(t, "encoder_hidden");
  Value x = reshape(frames(s, c, t), flat);
  for (int64_t i = 0; i < c.encoder.layers; ++i) {
    hidden.add(x, windows);
    x = encoder_layer(s["layers"][i], c, x, span_start);
  }
  x = norm(s["layer_norm"], x);
  hidden.add(x, windows);
  t.builder().output("encoder_last_hidden_state", reshape(x, windows));
  for (int64_t i = 0; i < c.decoder.layers; ++i) {
    const Scope cross = decoder["layers"][i]["encoder_attn"];
    write_source(t, source_of(cross, c, t), cross.project("k_proj", x, c.width),
                 cross.project("v_proj", x, c.width, kBias));
  }
}

void decode(const Scope& root, const Whisper& c, const Step& t) {
  const Scope s = root["model"]["decoder"];
  HiddenStates hidden(t, "decoder_hidden");
  Value x = embedding(s["embed_tokens"], t.token_ids(), c.vocabulary, c.width);
  if (c.scale_embedding) x = x * std::sqrt(c.width);
  x = x + embedding(s["embed_positions"], t.positions(), c.positions, c.width);
  for (int64_t i = 0; i < c.decoder.layers; ++i) {
    hidden.add(x);
    x = decoder_layer(s["layers"][i], c, x, t);
  }
  x = norm(s["layer_norm"], x);
  hidden.add(x);
  t.builder().output("logits", token_logits(c.tied ? s["embed_tokens"] : root["proj_out"], t, x, c.vocabulary));
}

}  // namespace

Blueprint whisper_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const Whisper c(config);
  return {.architecture = architecture(config, {"WhisperForConditionalGeneration"}),
          .entries = {{"encode", [c](const Scope& root, const Step& t) { encode(root, c, t); }},
                      {"decode", [c](const Scope& root, const Step& t) { decode(root, c, t); }}},
          .vocabulary = c.vocabulary,
          .max_positions = c.positions,
          .renames = {{"model.", ""}},
          .stale = {"proj_out.weight"}};
}

}  // namespace braid
