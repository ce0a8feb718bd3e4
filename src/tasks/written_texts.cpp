#include "tasks/written_texts.h"

#include <algorithm>

#include "text/tokenizer.h"

namespace braid {

Texts::Texts(const LoadedModel& model, const GenerateOptions& options, int64_t count, const TextCallback& on_text)
    : texts_(static_cast<size_t>(count)) {
  for (GeneratedText& text : texts_)
    streams_.emplace_back(model.tokenizer.get(), options.stop, count == 1 ? on_text : silent_, text.text);
}

void Texts::begun() {
  if (first == Clock::time_point()) first = Clock::now();
}

bool Texts::take(const TokenEvent& event) {
  begun();
  last = Clock::now();
  if (!event.prompt_logprobs.empty()) prompt_logprobs = event.prompt_logprobs;
  if (!event.found.empty()) return take(event.found);
  GeneratedText& text = texts_[static_cast<size_t>(event.text)];
  text.finish_reason = event.finished;
  failure = event.message;
  if (!event.has_token) return false;
  text.token_ids.push_back(event.token);
  std::ranges::copy(event.logprobs, std::back_inserter(text.logprobs));
  if (event.finished == FinishReason::stop) return false;  // an end-of-sequence token is no text
  return streams_[static_cast<size_t>(event.text)].push(event.token);
}

bool Texts::take(const std::vector<Hypothesis>& found) {
  for (size_t i = 0; i < texts_.size() && i < found.size(); ++i) {
    GeneratedText& text = texts_[i];
    text.token_ids = found[i].tokens;
    text.finish_reason = found[i].finished;
    text.logprobs = found[i].logprobs;
    text.score = found[i].score;
    const size_t shown = text.token_ids.size() - (found[i].finished == FinishReason::stop ? 1 : 0);
    for (size_t t = 0; t < shown; ++t) streams_[i].push(text.token_ids[t]);
  }
  return false;
}

std::vector<GeneratedText> Texts::finish(bool cancelled) {
  for (size_t i = 0; i < texts_.size(); ++i) {
    streams_[i].flush();
    // A callback ended a text that the engine would have gone on with, or that had come to its length just then.
    if (streams_[i].cancelled() || cancelled)
      texts_[i].finish_reason = FinishReason::cancelled;
    else if (streams_[i].stopped())
      texts_[i].finish_reason = FinishReason::stop;
  }
  return std::move(texts_);
}

}  // namespace braid
