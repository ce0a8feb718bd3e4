#pragma once
// From the rows of logits of a request's sequences to what each of them writes next: one draw, several independent
// ones, or a beam search.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/logprobs.h"
#include "engine/sampler.h"
#include "engine/scheduler.h"
#include "files/generation_config.h"

namespace braid {

struct DecodingOptions {
  SamplingOptions sampling = {};
  int64_t sequences = 1;      ///< texts to give; text i of several draws is what the seed + i gives alone
  int64_t beams = 1;          ///< above 1: a beam search, at temperature 0 over the likeliest, else by draws
  double length_penalty = 1;  ///< a beam's score: the sum of its log-probabilities ÷ its length to this power
  EarlyStopping early_stopping = EarlyStopping::no;
  int64_t logprobs = -1;  ///< log-probabilities of tokens, with so many of the likeliest; -1: none

  /// Sequences that run at once.
  int64_t width() const { return std::max(beams, sequences); }
  /// Throws UsageError naming what is out of range or does not go together.
  void check() const;
};

/// The row of a sequence and what it continues.
struct DecodingRow {
  std::span<const float> logits;  ///< (vocabulary)
  TokenHistory history;
};

/// A token that is certain.
struct WrittenToken {
  int64_t text = 0;  ///< which of the texts
  int32_t token = 0;
  FinishReason finished = FinishReason::none;  ///< of that text
  std::vector<TokenLogprob> logprobs = {};     ///< one, when they are wanted
};

/// A text of a beam search.
struct Hypothesis {
  std::vector<int32_t> tokens = {};  ///< generated
  double score = 0;
  std::vector<TokenLogprob> logprobs = {};  ///< one per token, when they are wanted
  FinishReason finished = FinishReason::length;
};

class Decoding {
 public:
  struct Advance {
    std::vector<Branch> next = {};           ///< the sequences of the next step; none: the request is over
    std::vector<WrittenToken> written = {};  ///< in the order of the texts
  };
  virtual ~Decoding() = default;
  /// One row per running sequence, in their order. Throws Error when no token can be taken.
  virtual Advance advance(std::span<const DecodingRow> rows) = 0;
  /// A text whose reader wants no more ends before its next token.
  virtual void end(int64_t text) = 0;
  /// What a beam search found, the best first.
  virtual std::vector<Hypothesis> found() const { return {}; }
};

/// Throws UsageError, see DecodingOptions::check().
std::unique_ptr<Decoding> make_decoding(DecodingOptions options);

}  // namespace braid
