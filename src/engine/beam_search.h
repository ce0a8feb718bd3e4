#pragma once
// Beam search and beam sampling, as transformers' generate defines them: of the continuations of all beams, the best
// (or those drawn without replacement) by the sum of log-probabilities; those that end are kept apart, scored by their
// length, until nothing that still runs can displace them.

#include "engine/decoding.h"

namespace braid {

class BeamSearch final : public Decoding {
 public:
  explicit BeamSearch(DecodingOptions options);

  Advance advance(std::span<const DecodingRow> rows) override;
  void end(int64_t) override {}
  std::vector<Hypothesis> found() const override;

 private:
  struct Beam {
    std::vector<int32_t> tokens;
    std::vector<TokenLogprob> logprobs;
    double score = 0;  // sum of the processed log-probabilities
  };
  struct Continuation {
    int32_t beam, token;
    double score;  ///< of the beam with this token
    double key;    ///< what it is chosen by: the score, or a draw
  };
  /// The best continuations in the order in which they were chosen.
  std::vector<Continuation> choose(std::span<const DecodingRow> rows);
  Beam continued(const Continuation& c, std::span<const DecodingRow> rows) const;
  void finish(Beam beam, FinishReason reason);
  bool can_improve(int64_t most_tokens) const;
  bool full() const { return static_cast<int64_t>(finished_.size()) == options_.beams; }

  DecodingOptions options_;
  Sampler sampler_;
  bool draws_;
  std::vector<Beam> running_;         // from the best on
  std::vector<Hypothesis> finished_;  // from the best on, at most as many as beams
  int64_t length_ = 0;                // tokens that each running beam has
  bool improvable_ = true;
};

}  // namespace braid
