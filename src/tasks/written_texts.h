#pragma once
// The texts of one request as they are written: tokens, characters, log-probabilities, why each ended, and when.

#include <chrono>
#include <deque>
#include <string>
#include <vector>

#include "tasks/generate.h"

namespace braid {

class Texts {
 public:
  using Clock = std::chrono::steady_clock;

  /// `count` texts, of which a single one is streamed to `on_text`. All arguments outlive them.
  Texts(const LoadedModel& model, const GenerateOptions& options, int64_t count, const TextCallback& on_text);

  /// False when the text of the event has ended.
  bool take(const TokenEvent& event);
  /// Beams say nothing before they end: their first tokens are there now.
  void begun();
  /// All of them, at the end. `cancelled`: not by the callback of a stream.
  std::vector<GeneratedText> finish(bool cancelled);
  bool failed() const { return texts_.front().finish_reason == FinishReason::error; }

  Clock::time_point first, last;  ///< when the first and the last token came
  std::string failure;
  std::vector<TokenLogprob> prompt_logprobs;

 private:
  bool take(const std::vector<Hypothesis>& found);

  const TextCallback silent_ = {};
  std::vector<GeneratedText> texts_;
  std::deque<TextStream> streams_;  // which hold references
};

}  // namespace braid
