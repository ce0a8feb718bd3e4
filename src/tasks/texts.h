#pragma once
// Texts through a model that reads them whole: encoders, classifiers, embedding models. Several sequences make a step,
// those of like length together; padding does not exist.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tasks/load.h"
#include "text/tokenizer.h"

namespace braid {

/// A tokenised text, or a pair of texts.
struct Sequence {
  Encoding encoding;
  std::vector<int32_t> rows = {};  ///< tokens whose vocabulary logits are wanted (masked-LM heads)
};

/// `base` with the sizes that texts need: whole sequences in a step, without states. `rows`: the most Sequence::rows of
/// a step.
LoadOptions text_options(LoadOptions base, int64_t rows = 1);

/// The most tokens that a sequence may have: the context.
int64_t longest_text(const LoadedModel& model);
/// `text` (and `pair`, when there is one) as a sequence of at most `most` tokens: what is too long is cut off at the
/// end of `pair`, or of the text alone; the template's special tokens stay. Throws UsageError when nothing would be
/// left.
Sequence sequence_of(const LoadedModel& model, std::string_view text, int64_t most,
                     std::optional<std::string_view> pair = {});
/// Throws Error naming the text that has no token or more than the model reads, with both numbers.
void check_length(const LoadedModel& model, const Sequence& sequence, size_t index);

/// What a step gives of one sequence: `values` of the wanted output, (tokens, width), (rows, width) or (width).
struct SequenceOutput {
  size_t index;  ///< of the sequence
  std::span<const float> values;
  int64_t width;
};
/// Runs the entry "forward" on all sequences and calls `take` once for each, in no particular order. Throws Error when
/// the model has no such entry, or the entry no such output.
void run_sequences(Program& program, std::span<const Sequence> sequences, std::string_view output,
                   const std::function<void(const SequenceOutput&)>& take);

/// Characters [begin, end) of a text, in code points: what the offsets of an Encoding mean.
std::string characters(std::string_view text, int64_t begin, int64_t end);
/// Whether a template added the token, so that it stands for nothing in the text.
bool is_added(const Encoding& encoding, size_t token);

/// In place: exp(x - max) / sum, as f32.
void softmax(std::span<float> x);

}  // namespace braid
