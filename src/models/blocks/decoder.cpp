#include "models/blocks/decoder.h"

#include <utility>

namespace braid {
namespace {

/// The last hidden states of an entry, among the outputs when they are wanted.
Value run_body(const Scope& root, const Decoder& c, const Step& t) {
  HiddenStates hidden(t, "hidden");
  const Value x = c.body(root[c.model], t, hidden);
  hidden.add(x);
  return x;
}

void causal_lm(const Scope& root, const Decoder& c, const Step& t) {
  const Value x = run_body(root, c, t);
  const Scope head = c.tied ? root[c.model][c.embeddings] : root[c.head];
  Value logits = token_logits(head, t, x, c.vocabulary);
  if (c.head_bias) logits = logits + root[c.head].floats("bias", {c.vocabulary});
  if (c.logit_scale != 1) logits = logits * c.logit_scale;
  if (c.logit_cap > 0) logits = tanh(logits * (1 / c.logit_cap)) * c.logit_cap;
  t.builder().output("logits", logits);
}

void features(const Scope& root, const Decoder& c, const Step& t) {
  t.builder().output("last_hidden_state", run_body(root, c, t));
}

/// One pass over whole sequences: no states, whatever the options say.
Entry forward(std::function<void(const Scope&, const Step&)> build) {
  return {"forward", [build = std::move(build)](const Scope& root, const Step& t) {
            EntryOptions once = t.options();
            once.stateful = false;
            build(root, Step(t.builder(), once));
          }};
}

}  // namespace

Value run_layers(const Scope& layers, int64_t count, Value x, HiddenStates& hidden, const Layer& layer) {
  for (int64_t i = 0; i < count; ++i) {
    const Scope s = layers[i];
    const Within here(s);
    hidden.add(x);
    x = layer(s, i, x);
  }
  return x;
}

Blueprint decoder_family(const Config& config, Decoder c) {
  const std::string classes[] = {c.causal.empty() ? c.name + "ForCausalLM" : c.causal, c.name + "Model",
                                 c.name + "ForSequenceClassification", c.name + "ForTokenClassification"};
  const std::string chosen = architecture(config, {classes[0], classes[1], classes[2], classes[3]});
  if (chosen == classes[0] && !c.generates)
    config.fail("architectures", chosen + " cannot generate where tokens see those after them",
                "for embeddings, the class is " + classes[1]);
  Blueprint blueprint{.architecture = chosen,
                      .entries = {},
                      .vocabulary = c.vocabulary,
                      .max_positions = c.max_positions,
                      .default_context = c.default_context,
                      .renames = c.renames,
                      .features = forward([c](const Scope& root, const Step& t) { features(root, c, t); }),
                      .head = {c.head + ".*"},
                      .stale = c.stale};
  blueprint.renames.push_back({c.model + ".", ""});
  blueprint.renames.push_back({"score.", "classifier."});
  for (const char* pattern : {"*.rotary_emb.inv_freq", "score.*", "classifier.*"}) blueprint.stale.push_back(pattern);
  if (chosen != classes[0] || c.tied) blueprint.stale.push_back(c.head + ".*");
  const int64_t labels = label_count(config);
  if (chosen == classes[0]) {
    blueprint.entries = {{"decode", [c](const Scope& root, const Step& t) { causal_lm(root, c, t); }}};
  } else if (chosen == classes[1]) {
    blueprint.entries = {*blueprint.features};
  } else if (chosen == classes[2]) {
    blueprint.entries = {forward([c, labels](const Scope& root, const Step& t) {
      t.builder().output("logits", root.project("score", last_of_each(t, run_body(root, c, t)), labels));
    })};
  } else {
    blueprint.entries = {forward([c, labels](const Scope& root, const Step& t) {
      t.builder().output("logits", root.project("score", run_body(root, c, t), labels, kBias));
    })};
  }
  return blueprint;
}

}  // namespace braid
