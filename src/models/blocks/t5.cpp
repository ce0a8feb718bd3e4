#include "models/blocks/t5.h"

#include <array>
#include <cmath>

#include "models/family.h"

namespace braid {
namespace {

struct T5 {
  T5Sizes sizes;
  T5Kind kind;
};

Value norm(const Scope& s, const T5& c, Value x) { return rms_norm(s["layer_norm"], x, c.sizes.epsilon); }

Value heads(const Scope& s, const T5& c, std::string_view name, Value x) {
  return split_heads(s.project(name, x, c.sizes.heads * c.sizes.head_dim), c.sizes.head_dim);
}

/// The biases of a stack's layer, made once where all layers share them.
class Biases {
 public:
  Biases(const Scope& stack, const T5& c, bool decoder) : stack_(stack), c_(c), decoder_(decoder) {}
  Value of(int64_t layer) {
    if (layer > 0 && !c_.kind.bias_per_layer) return shared_;
    const Scope s = stack_["block"][layer]["layer"][0]["SelfAttention"]["relative_attention_bias"];
    return shared_ = relative_bias(s, {c_.sizes.buckets, c_.sizes.max_distance, !decoder_}, c_.sizes.heads);
  }

 private:
  const Scope& stack_;
  const T5& c_;
  bool decoder_;
  Value shared_;
};

/// x + attention over the stack's own tokens, then, in a decoder, over the source's (s: block.N.layer).
Value self_attention(const Scope& s, const T5& c, const Step& t, Value x, Value bias, bool decoder) {
  const Scope a = s["SelfAttention"];
  const Value y = norm(s, c, x), q = heads(a, c, "q", y), k = heads(a, c, "k", y), v = heads(a, c, "v", y);
  const Attend how{.scale = 1, .causal = decoder, .relative = bias};
  const Value seen =
      decoder ? braid::self_attention(a, t, q, k, v, how) : merge_heads(attend(q, k, v, t.span_start(), how));
  return x + a.project("o", seen, c.sizes.width);
}

Value mlp(const Scope& s, const T5& c, Value x, const T5Place& at) {
  const Value y = norm(s, c, x);
  return x + (c.kind.mlp ? c.kind.mlp(s, y, at) : t5_dense(s["DenseReluDense"], c.sizes, y));
}

Value encoder(const Scope& root, const T5& c, const Step& t, HiddenStates hidden) {  // → (tokens, width)
  const Scope s = root["encoder"];
  Biases biases(s, c, false);
  Value x = embedding(root["shared"], t.token_ids(), c.sizes.vocabulary, c.sizes.width);
  for (int64_t i = 0; i < c.sizes.encoder_layers; ++i) {
    const Scope block = s["block"][i]["layer"];
    const Within here(block);
    hidden.add(x);
    x = self_attention(block[0], c, t, x, biases.of(i), false);
    x = mlp(block[1], c, x, {.t = t, .decoder = false, .layer = i});
  }
  x = rms_norm(s["final_layer_norm"], x, c.sizes.epsilon);
  hidden.add(x);
  return x;
}

Scope cross_of(const Scope& root, int64_t layer) {
  return root["decoder"]["block"][layer]["layer"][1]["EncDecAttention"];
}

SourceStates source_of(const Scope& root, const T5& c, const Step& t, int64_t layer) {
  return source_states(cross_of(root, layer), t, {t.options().source_tokens, c.sizes.heads, c.sizes.head_dim});
}

void encode(const Scope& root, const T5& c, const Step& t) {
  const Value x = encoder(root, c, t, HiddenStates(t, "encoder_hidden"));
  t.builder().output("encoder_last_hidden_state", x);
  write_source_lengths(t);
  const int64_t inner = c.sizes.heads * c.sizes.head_dim;
  for (int64_t i = 0; i < c.sizes.decoder_layers; ++i) {
    const Scope cross = cross_of(root, i);
    write_ragged_source(t, source_of(root, c, t, i), cross.project("k", x, inner), cross.project("v", x, inner));
  }
}

void decode(const Scope& root, const T5& c, const Step& t) {
  const Scope s = root["decoder"];
  HiddenStates hidden(t, "decoder_hidden");
  Biases biases(s, c, true);
  const Value lengths = source_lengths(t);
  Value x = embedding(root["shared"], t.token_ids(), c.sizes.vocabulary, c.sizes.width);
  for (int64_t i = 0; i < c.sizes.decoder_layers; ++i) {
    const Scope block = s["block"][i]["layer"], cross = cross_of(root, i);
    const Within here(block);
    hidden.add(x);
    x = self_attention(block[0], c, t, x, biases.of(i), true);
    const Value q = heads(cross, c, "q", norm(block[1], c, x));
    const Value seen =
        cross_attention(t, source_of(root, c, t, i), q, {.scale = 1, .causal = false, .lengths = lengths});
    x = x + cross.project("o", seen, c.sizes.width);
    x = mlp(block[2], c, x, {.t = t, .decoder = true, .layer = i});
  }
  x = rms_norm(s["final_layer_norm"], x, c.sizes.epsilon);
  hidden.add(x);
  if (c.sizes.scaled_output) x = x * std::pow(static_cast<double>(c.sizes.width), -0.5);
  const bool own_head = root["lm_head"].has("weight");  // configs of T5 1.1 say it in more than one way
  t.builder().output("logits", token_logits(own_head ? root["lm_head"] : root["shared"], t, x, c.sizes.vocabulary));
}

constexpr std::string_view kDefaults = R"({
  "d_model": 512, "d_kv": 64, "d_ff": 2048, "num_layers": 6, "num_heads": 8, "vocab_size": 32128,
  "relative_attention_num_buckets": 32, "relative_attention_max_distance": 128, "layer_norm_epsilon": 1e-6,
  "feed_forward_proj": "relu"})";

}  // namespace

T5Sizes::T5Sizes(const Config& given) {
  const Config c = given.with_defaults(kDefaults);
  width = c.size_at("d_model");
  heads = c.size_at("num_heads");
  head_dim = c.size_at("d_kv");
  inner = c.size_at("d_ff");
  encoder_layers = c.layers("num_layers");
  decoder_layers = c.has("num_decoder_layers") ? c.layers("num_decoder_layers") : encoder_layers;
  vocabulary = c.vocabulary();
  buckets = c.int_at("relative_attention_num_buckets", {.least = 4, .most = 1 << 16});
  max_distance = c.int_at("relative_attention_max_distance", {.least = 2, .most = 1 << 20});
  epsilon = c.real_at("layer_norm_epsilon");
  const std::string feed_forward = c.string_at("feed_forward_proj");
  constexpr std::string_view kGated = "gated-";
  gated = feed_forward.starts_with(kGated);
  activation = gated ? feed_forward.substr(kGated.size()) : feed_forward;
  if (feed_forward == "gated-gelu") activation = "gelu_new";  // as transformers reads it
  check_activation(c, "feed_forward_proj", activation);
  scaled_output = c.bool_or("scale_decoder_outputs", c.bool_or("tie_word_embeddings", true));
}

Value t5_dense(const Scope& s, const T5Sizes& c, Value x) {
  if (!c.gated) return s.project("wo", activation(c.activation, s.project("wi", x, c.inner)), c.width);
  const auto [gate, up] = s.project({{"wi_0", c.inner}, {"wi_1", c.inner}}, x);
  return s.project("wo", activation(c.activation, gate) * up, c.width);
}

Blueprint t5_like(const Config& config, const T5Sizes& sizes, const T5Kind& kind) {
  const T5 c{sizes, kind};
  const std::string writes = kind.name + "ForConditionalGeneration", encodes = kind.name + "EncoderModel";
  Blueprint family{.architecture = architecture(config, {writes, encodes}),
                   .entries = {{"encode", [c](const Scope& root, const Step& t) { encode(root, c, t); }},
                               {"decode", [c](const Scope& root, const Step& t) { decode(root, c, t); }}},
                   .vocabulary = sizes.vocabulary,
                   .renames = {{"shared.", "encoder.embed_tokens."}, {"shared.", "decoder.embed_tokens."}},
                   .features = Entry{"forward",
                                     [c](const Scope& root, const Step& t) {
                                       t.builder().output("last_hidden_state",
                                                          encoder(root, c, t, HiddenStates(t, "hidden")));
                                     }},
                   .head = {"decoder.*", "lm_head.*"},
                   .stale = {"encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight",
                             "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"}};
  if (family.architecture == encodes) family.entries = {*family.features};
  return family;
}

}  // namespace braid
