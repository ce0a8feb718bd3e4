#include "engine/decoding.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "engine/beam_search.h"

namespace braid {
namespace {

[[noreturn]] void refuse(std::string what, const char* field, std::string advice) {
  throw UsageError(std::move(what), {.file = {}, .field = field, .offset = {}}, std::move(advice));
}

/// Independent texts from one prompt.
class Draws final : public Decoding {
 public:
  explicit Draws(DecodingOptions options) : options_(std::move(options)), ended_(texts(), false) {
    for (size_t i = 0; i < texts(); ++i) {
      SamplingOptions one = options_.sampling;
      one.seed += i;
      samplers_.emplace_back(std::move(one));
    }
    running_.resize(texts());
    std::iota(running_.begin(), running_.end(), size_t{0});
  }

  Advance advance(std::span<const DecodingRow> rows) override {
    Advance out;
    std::vector<size_t> going_on;
    for (size_t i = 0; i < running_.size(); ++i) {
      const size_t text = running_[i], row = rows.size() == 1 ? 0 : i;  // the prompt's row is everyone's
      if (ended_[text]) continue;
      const auto& [logits, history] = rows[row];
      const int32_t token = samplers_[text].sample(logits, history, history.generated().size());
      const FinishReason finished = std::ranges::find(options_.sampling.ends, token) != options_.sampling.ends.end()
                                        ? FinishReason::stop
                                    : history.tokens.size() + 1 >= history.last ? FinishReason::length
                                                                                : FinishReason::none;
      out.written.push_back({static_cast<int64_t>(text), token, finished, {}});
      if (options_.logprobs >= 0)
        out.written.back().logprobs.push_back(token_logprob(logits, token, options_.logprobs));
      if (finished != FinishReason::none) continue;
      out.next.push_back({static_cast<int32_t>(row), token});
      going_on.push_back(text);
    }
    running_ = std::move(going_on);
    return out;
  }
  void end(int64_t text) override { ended_[static_cast<size_t>(text)] = true; }

 private:
  size_t texts() const { return static_cast<size_t>(options_.sequences); }

  DecodingOptions options_;
  std::vector<Sampler> samplers_;
  std::vector<bool> ended_;
  std::vector<size_t> running_;  // the text of each sequence
};

}  // namespace

void DecodingOptions::check() const {
  sampling.check();
  if (beams < 1) refuse("num_beams " + std::to_string(beams) + " is too small", "num_beams", "give 1 or more");
  if (sequences < 1)
    refuse("num_return_sequences " + std::to_string(sequences) + " is too small", "num_return_sequences",
           "give 1 or more");
  if (beams > 1 && sequences > beams)
    refuse("a search with " + std::to_string(beams) + " beams cannot give " + std::to_string(sequences) + " texts",
           "num_return_sequences", "give at most num_beams");
  if (beams == 1 && sequences > 1 && sampling.temperature == 0)
    refuse("several greedy texts would all be the same", "num_return_sequences", "give a temperature, or num_beams");
  if (!(std::abs(length_penalty) <= 1e6))
    refuse("length_penalty " + std::to_string(length_penalty) + " is out of range", "length_penalty",
           "give a number, such as 1");
  if (logprobs < -1) refuse("logprobs " + std::to_string(logprobs) + " is negative", "logprobs", "give 0 or more");
}

std::unique_ptr<Decoding> make_decoding(DecodingOptions options) {
  options.check();
  if (options.beams > 1) return std::make_unique<BeamSearch>(std::move(options));
  return std::make_unique<Draws>(std::move(options));
}

}  // namespace braid
