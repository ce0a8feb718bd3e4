#pragma once
// What a text is about: the sequence classifier's labels. And how well documents answer a query (cross-encoders).

#include <string>
#include <vector>

#include "tasks/texts.h"

namespace braid {

struct Label {
  std::string name;  ///< id2label's, else "LABEL_N"
  float score = 0;
};

/// What logits become scores by. `automatic`: sigmoid for problem_type "multi_label_classification" and for one label,
/// softmax for several, as transformers' pipeline does; nothing for "regression".
enum class Scores : uint8_t { automatic, softmax, sigmoid, none };

struct ClassifyOptions {
  int64_t top_k = 1;  ///< labels per text, the likeliest first; 0: all
  Scores scores = Scores::automatic;
};
/// Throws Error naming the text that the model cannot read, UsageError when it has no classifier of sequences.
std::vector<std::vector<Label>> classify(LoadedModel& model, std::span<const std::string> texts,
                                         const ClassifyOptions& options = {});

struct Ranked {
  size_t index = 0;  ///< of the document
  float score = 0;
};
/// The documents by how well they fit the query, the best first; equal scores in the order given. The score is the
/// first logit, through a sigmoid unless the model's config names the identity, as sentence-transformers' CrossEncoder
/// has it. Documents are cut where a pair is too long.
std::vector<Ranked> rerank(LoadedModel& model, const std::string& query, std::span<const std::string> documents);

/// Of every label of a classifier: id2label, else "LABEL_0", "LABEL_1" …
std::vector<std::string> label_names(const Config& config, size_t count);

}  // namespace braid
