#pragma once
// A golden case: a tiny checkpoint, inputs as transformers takes them, and what it answered. And an oracle that runs
// the model's graphs step by step, with states whose memory starts as NaN.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backend/oracle/interpret.h"
#include "files/checkpoint.h"
#include "models/model.h"

namespace braid::test {

struct Greedy {
  std::vector<int32_t> prompt, tokens;
  int64_t sources = 0;  ///< how many rows of the other inputs belong to the prompt
};

class GoldenCase {
 public:
  /// `path` inside the kit: "golden/text/llama-gqa".
  explicit GoldenCase(const std::string& path, Purpose purpose = Purpose::own);

  const Model& model() const { return *model_; }
  const TensorIndex& index() const { return index_; }
  const Checkpoint& weights() const { return weights_; }
  bool has_input(const std::string& name) const { return answers_.has("in." + name); }
  /// in.NAME as integers, or all `otherwise` when it is absent, in the order of the batch (row by row).
  std::vector<int32_t> ids(const std::string& name, size_t count, int32_t otherwise) const;
  Tensor input(const std::string& name) const { return answers_.at("in." + name); }
  /// Names of all expected outputs, without "out.".
  std::vector<std::string> outputs() const;
  bool has_output(const std::string& name) const { return answers_.has("out." + name); }
  Tensor output(const std::string& name) const { return answers_.at("out." + name); }
  /// Nothing to generate: no tokens.
  Greedy greedy() const;

 private:
  std::string folder_;
  Checkpoint weights_, answers_;
  TensorIndex index_;
  std::unique_ptr<Model> model_;
};

/// The tasks of golden.json, by how a case of theirs is run. A case that is in none of them would go unseen, so a test
/// finds it.
inline const std::vector<std::string> kDecoderTasks{"causal-lm"};
inline const std::vector<std::string> kTextTasks{"causal-lm",          "feature-extraction",
                                                 "masked-lm",          "sequence-classification",
                                                 "question-answering", "token-classification"};
inline const std::vector<std::string> kImageTasks{"image-classification"};
inline const std::vector<std::string> kSpeechTasks{"automatic-speech-recognition"};
inline const std::vector<std::string> kTextToTextTasks{"seq2seq-lm"};

/// All cases of the kit whose family the project has: "text/llama-gqa", "media/whisper" …
std::vector<std::string> golden_cases();
/// Those of these tasks.
std::vector<std::string> golden_cases(const std::vector<std::string>& tasks);
/// "task" of a case's golden.json, "" when it has none.
std::string task_of(const std::string& name);

/// "llama_gqa".
std::string test_name(const testing::TestParamInfo<std::string>& info);

/// A stretch of one sequence in a step.
struct Span {
  int32_t sequence = 0;  ///< its slot, and its pages
  int32_t context = 0;   ///< tokens before this step
  std::vector<int32_t> tokens;
  std::vector<int32_t> positions;  ///< empty: context, context + 1 …
  std::vector<int32_t> segments;   ///< token types; empty: zeros
};

/// A batch of transformers, without its padding, as spans: one per row.
struct Batch {
  std::vector<Span> spans;
  std::vector<int64_t> places;  ///< for each token of the spans, where it stands in the padded batch
  int64_t rows = 0, columns = 0;
};
Batch batch_of(const GoldenCase& golden, const std::string& ids);

class OracleModel {
 public:
  OracleModel(const GoldenCase& golden, const EntryOptions& options, int64_t sequences);

  using Outputs = std::map<std::string, Tensor>;
  /// Tokens of several sequences through "decode" or "forward"; logits of all of them.
  Outputs step(const std::string& entry, const std::vector<Span>& spans);
  /// One image or window per sequence through "encode" or "forward".
  Outputs step(const std::string& entry, const std::string& input, const Tensor& media);

 private:
  Outputs run(const std::string& entry, const SymbolValues& sizes, std::map<std::string, Tensor> inputs);
  const GoldenCase& golden_;
  EntryOptions options_;
  int64_t sequences_;
  std::map<std::string, oracle::Interpreter> entries_;
  StateMap states_;
};

/// ‖a - b‖ / ‖b‖ over all elements (f32). Infinite when the sizes differ or something is not finite.
double relative_error(const Tensor& a, const Tensor& b);
/// Rows of `x` (its first `leading` dimensions, flattened) at these places, as one matrix.
Tensor rows_at(const Tensor& x, int leading, const std::vector<int64_t>& places);
/// Index of the largest element of row `row`.
int32_t argmax(const Tensor& logits, int64_t row);

}  // namespace braid::test
