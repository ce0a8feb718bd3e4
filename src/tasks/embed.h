#pragma once
// Texts as vectors. What sentence-transformers keeps beside a model says how tokens become one vector: modules.json,
// the pooling's config.json, sentence_bert_config.json, config_sentence_transformers.json.

#include <string>
#include <vector>

#include "tasks/texts.h"

namespace braid {

/// One way in which the vectors of tokens become one; several are put one behind another, in this order.
enum class Pooling : uint8_t { first, max, mean, mean_sqrt, weighted_mean, last };

/// y = activation(W x + b), after the pooling (EmbeddingGemma, LaBSE).
struct DenseLayer {
  Tensor weight;                         ///< (outputs, inputs) f32
  Tensor bias = {};                      ///< (outputs) f32, or absent
  float (*activation)(float) = nullptr;  ///< null: none
};

struct EmbedOptions {
  std::vector<Pooling> pooling = {};   ///< at least one
  std::vector<DenseLayer> dense = {};  ///< in their order
  bool normalise = false;              ///< to length 1, at the end
  int64_t max_tokens = 0;              ///< longer texts are cut off, as sentence-transformers does
  bool lowercase = false;
  std::string prompt = {};  ///< put before every text
};
/// What the model's folder says; without such files encoders take the mean, decoders the last token, normalised. Throws
/// Error naming the file and the module that is not known, or the weights that do not fit.
EmbedOptions embed_options(const LoadedModel& model);

/// One vector per text, all of the same length. The model was loaded for its features (Purpose::features). Throws Error
/// when a dense layer reads vectors of another length.
std::vector<std::vector<float>> embed(LoadedModel& model, std::span<const std::string> texts,
                                      const EmbedOptions& options);

}  // namespace braid
