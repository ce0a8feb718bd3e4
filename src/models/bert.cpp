// BERT (arXiv:1810.04805): bidirectional attention, learned positions and segments, LayerNorm after each block, and a
// head per task.

#include <algorithm>
#include <cmath>

#include "models/family.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 768, "num_attention_heads": 12, "num_hidden_layers": 12, "intermediate_size": 3072,
  "vocab_size": 30522, "max_position_embeddings": 512, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
  "hidden_act": "gelu"})";

struct Bert {
  explicit Bert(const Config& c)
      : heads(c.heads_and_dims()),
        layers(c.layers()),
        vocabulary(c.vocabulary()),
        positions(c.size_at("max_position_embeddings")),
        segments(c.size_at("type_vocab_size")),
        inner(c.size_at("intermediate_size")),
        labels(label_count(c)),
        epsilon(c.real_at("layer_norm_eps")),
        activation(activation_name(c, "hidden_act")),
        tied(c.bool_or("tie_word_embeddings", true)) {
    if (c.bool_or("is_decoder", false)) c.fail("is_decoder", "BERT as a decoder is not supported");
    if (c.string_or("position_embedding_type", "absolute") != "absolute")
      c.fail("position_embedding_type", "only absolute positions are supported");
  }

  HeadConfig heads;
  int64_t layers, vocabulary, positions, segments, inner, labels;
  double epsilon;
  std::string activation;
  bool tied;
};

/// LayerNorm(x + dense(y)): how every block of BERT ends.
Value output(const Scope& s, const Bert& c, Value x, Value y) {
  return layer_norm(s["LayerNorm"], x + s.project("dense", y, c.heads.hidden, kBias), c.epsilon);
}

Value layer(const Scope& s, const Bert& c, Value x, const Step& t) {  // x: (tokens, width)
  const Within here(s);
  const auto& [width, heads, kv_heads, head_dim] = c.heads;
  const Scope a = s["attention"];
  const auto [q, k, v] = a["self"].project({{"query", width}, {"key", width}, {"value", width}}, x, kBias);
  const Value y = attend(split_heads(q, head_dim), split_heads(k, head_dim), split_heads(v, head_dim), t.span_start(),
                         {.scale = 1 / std::sqrt(head_dim), .causal = false});
  x = output(a["output"], c, x, merge_heads(y));
  return output(s["output"], c, x, activation(c.activation, s["intermediate"].project("dense", x, c.inner, kBias)));
}

Value encoder(const Scope& s, const Bert& c, const Step& t) {  // → (tokens, width)
  const Scope e = s["embeddings"];
  HiddenStates hidden(t, "hidden");
  Value x = embedding(e["word_embeddings"], t.token_ids(), c.vocabulary, c.heads.hidden) +
            embedding(e["position_embeddings"], t.positions(), c.positions, c.heads.hidden) +
            embedding(e["token_type_embeddings"], t.token_type_ids(), c.segments, c.heads.hidden);
  x = layer_norm(e["LayerNorm"], x, c.epsilon);
  hidden.add(x);
  for (int64_t i = 0; i < c.layers; ++i) {
    x = layer(s["encoder"]["layer"][i], c, x, t);
    hidden.add(x);
  }
  return x;
}

/// The first token of each sequence, "[CLS]" → (sequences, width).
Value pooler(const Scope& s, const Bert& c, const Step& t, Value x) {
  return tanh(s["pooler"].project("dense", first_of_each(t, x), c.heads.hidden, kBias));
}

// ---- heads
void features(const Scope& root, const Bert& c, const Step& t) {
  const Value x = encoder(root["bert"], c, t);
  t.builder().output("last_hidden_state", x);
  t.builder().output("pooler_output", pooler(root["bert"], c, t, x));
}

void masked_lm(const Scope& root, const Bert& c, const Step& t) {
  const Scope s = root["cls"]["predictions"], transform = s["transform"];
  Value x = encoder(root["bert"], c, t);
  x = activation(c.activation, transform.project("dense", x, c.heads.hidden, kBias));
  x = layer_norm(transform["LayerNorm"], x, c.epsilon);
  const Scope decoder = c.tied ? root["bert"]["embeddings"]["word_embeddings"] : s["decoder"];
  const Value weight = decoder.weight({c.vocabulary, c.heads.hidden});
  t.builder().output("logits", linear(x, weight, s.floats("bias", {c.vocabulary})));
}

void sequence_classification(const Scope& root, const Bert& c, const Step& t) {
  const Value pooled = pooler(root["bert"], c, t, encoder(root["bert"], c, t));
  t.builder().output("logits", root.project("classifier", pooled, c.labels, kBias));
}

void token_classification(const Scope& root, const Bert& c, const Step& t) {
  t.builder().output("logits", root.project("classifier", encoder(root["bert"], c, t), c.labels, kBias));
}

void question_answering(const Scope& root, const Bert& c, const Step& t) {
  const Value spans = root.project("qa_outputs", encoder(root["bert"], c, t), 2, kBias);  // (tokens, start and end)
  t.builder().output("start_logits", reshape(slice(spans, -1, 0, 1), {Symbol::tokens}));
  t.builder().output("end_logits", reshape(slice(spans, -1, 1, 2), {Symbol::tokens}));
}

struct Head {
  std::string_view architecture;
  void (*build)(const Scope& root, const Bert& c, const Step& t);
};
constexpr Head kHeads[] = {{"BertModel", features},
                           {"BertForMaskedLM", masked_lm},
                           {"BertForSequenceClassification", sequence_classification},
                           {"BertForTokenClassification", token_classification},
                           {"BertForQuestionAnswering", question_answering}};

}  // namespace

Blueprint bert_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  std::vector<std::string_view> known;
  for (const Head& head : kHeads) known.push_back(head.architecture);
  const std::string name = architecture(config, known);
  const auto head = std::ranges::find(kHeads, name, &Head::architecture);
  const Bert c(config);
  return {.architecture = name,
          .entries = {{"forward", [c, head](const Scope& root, const Step& t) { head->build(root, c, t); }}},
          .vocabulary = c.vocabulary,
          .max_positions = c.positions,
          .renames = {{"bert.", ""},
                      {".LayerNorm.weight", ".LayerNorm.gamma"},  // TensorFlow's names
                      {".LayerNorm.bias", ".LayerNorm.beta"}},
          // Heads of pre-training and copies of tied weights, which files carry for other tasks than this one.
          .stale = {"*embeddings.position_ids", "*pooler.dense.*", "cls.*"}};
}

}  // namespace braid
