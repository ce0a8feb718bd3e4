#pragma once
// One raw pass of any family and task: tensors under Hugging Face's argument names in, tensors under transformers'
// output names out.
//
// Inputs, as transformers' models take them: input_ids (B, T) with attention_mask, position_ids, token_type_ids;
// decoder_input_ids (B, T) with decoder_attention_mask, decoder_position_ids; pixel_values (B, C, H, W); input_features
// (B, mel bins, frames). Padding (mask 0) is not computed: its rows of the outputs are zeros.

#include <span>
#include <string>
#include <vector>

#include "tasks/load.h"

namespace braid {

/// A batch of B sequences of T columns as a ragged one: the tokens whose mask is 1, sequence after sequence.
struct TokenInputs {
  int64_t columns = 0;                                        ///< T; 0 without tokens
  std::vector<int32_t> token_ids, positions, token_type_ids;  ///< one per token that counts
  std::vector<int32_t> span_start;                            ///< (B + 1)
  std::vector<int64_t> place;                                 ///< per token: its row in (B · T)
  bool own_positions = false;                                 ///< they were given, and are not the columns

  int64_t tokens() const { return static_cast<int64_t>(token_ids.size()); }
  /// The longest sequence, in tokens.
  int64_t longest() const;
};

/// Inputs that were checked against each other: the tokens of the model (of its decoder where it has two parts) and
/// what its encoder reads.
struct ForwardInputs : TokenInputs {
  int64_t batch = 0;
  TokenInputs source;     ///< input_ids where there are decoder_input_ids too
  Tensor pixel_values;    ///< (B, C, H, W) f32, or absent
  Tensor input_features;  ///< (B, mel bins, frames) f32, or absent

  /// From tensors named by argument. A prefix "in." is dropped and "out.*" is ignored, so that a golden file is itself
  /// a valid input. Throws Error naming the tensor (`file` is where it came from) for an unknown argument, a shape that
  /// does not fit the others, a mask that is not 0 or 1 or hides a whole sequence.
  static ForwardInputs from(std::span<const NamedTensor> tensors, const std::string& file = {});
};

/// `base` with the sizes that a program needs for these inputs.
LoadOptions forward_options(const ForwardInputs& inputs, LoadOptions base = {});

/// Runs the model's entries: "encode" then "decode" where there are both, else "decode" with fresh sequences, else
/// "forward". Returns all their outputs in f32 and in Hugging Face's shapes: (B, T, …) over tokens, (B, …) else. Throws
/// Error naming the argument that the model needs, or a token id outside the vocabulary.
std::vector<NamedTensor> forward(Program& program, const ForwardInputs& inputs);

}  // namespace braid
