#pragma once
// What BERT and its descendants are made of: a sum of embeddings, and layers that normalise after each block.

#include <array>
#include <string>
#include <string_view>

#include "models/blocks/attention.h"
#include "models/scope.h"
#include "models/step.h"

namespace braid {

/// The modules of a layer, seen from the layer's scope.
struct PostNormNames {
  std::array<std::string_view, 3> qkv;
  std::string_view out, attention_norm;  ///< attention's last product, and the norm of what it is added to
  std::string_view up, down, norm;       ///< the same for the two products of the MLP
};
struct PostNormSizes {
  HeadConfig heads;
  int64_t inner;
  double epsilon;
  std::string activation;
};
/// x (tokens, width) → LayerNorm(y + MLP(y)), y = LayerNorm(x + attention(x)) ("Attention is all you need",
/// arXiv:1706.03762). Every product has a bias. `how` gets the usual scale when it has none of its own (0).
Value post_norm_layer(const Scope& s, const Step& t, Value x, const PostNormSizes& c, const PostNormNames& names,
                      Attend how = {.scale = 0, .causal = false});

/// BERT's names, which RoBERTa, ELECTRA and others took over.
inline constexpr PostNormNames kBertNames{.qkv = {"attention.self.query", "attention.self.key", "attention.self.value"},
                                          .out = "attention.output.dense",
                                          .attention_norm = "attention.output.LayerNorm",
                                          .up = "intermediate.dense",
                                          .down = "output.dense",
                                          .norm = "output.LayerNorm"};

struct EmbeddingSizes {
  int64_t vocabulary, width;
  int64_t positions;     ///< rows of the table
  int64_t segments = 0;  ///< 0: no segments
  double epsilon;
};
/// LayerNorm of the sum of SCOPE.{word,position,token_type}_embeddings → (tokens, width).
Value summed_embeddings(const Scope& s, const Step& t, const EmbeddingSizes& c);

/// BERT and those who kept its modules and config fields.
struct BertSizes {
  /// Throws Error naming the field: a decoder, positions that are not learned.
  explicit BertSizes(const Config& c);

  EmbeddingSizes embeddings;  ///< embedding_size wide where the config has it, else as wide as the layers
  PostNormSizes layer;
  int64_t layers, labels;
};
/// SCOPE.embeddings, [SCOPE.embeddings_project where the widths differ,] SCOPE.encoder.layer.N, with hidden.N.
Value bert_encoder(const Scope& s, const Step& t, const BertSizes& c);

}  // namespace braid
