#pragma once
// Text from a prompt, streamed: what `braid run`, the C++ API and everything that writes text are made of.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "tasks/load.h"
#include "tasks/text_stream.h"

namespace braid {

struct GenerateOptions {
  std::string prompt = {};  ///< text; the tokenizer's template adds what begins a text, once
  std::optional<std::vector<int32_t>> prompt_ids = {};  ///< token ids instead, taken as they are
  Tensor source = {};                                   ///< encoder-decoder models: one window (mel bins, frames) f32
  GenerationConfig settings = {};                       ///< what is asked for; the model's own settings fill the rest
  uint64_t seed = 0;
  int64_t max_tokens = 0;              ///< 0: as the settings say, else as many as the context leaves
  std::vector<std::string> stop = {};  ///< text ends before the first of them
  bool ignore_eos = false;
  int64_t logprobs = -1;         ///< log-probabilities of the generated tokens, with so many of the likeliest; -1: none
  int64_t prompt_logprobs = -1;  ///< the same of the prompt's tokens
};

struct GenerateTimings {
  double load_ms = 0;     ///< load_model, and what was compiled and bound before the first step
  double prefill_ms = 0;  ///< from the first step to the first token
  double decode_ms = 0;   ///< from the first token to the last
  double prefill_tokens_per_s = 0;
  double decode_tokens_per_s = 0;  ///< of all texts together; 0 when there was only one token
};

struct GeneratedText {
  std::vector<int32_t> token_ids = {};  ///< generated, with the end-of-sequence token or those of the stop string
  std::string text = {};                ///< without them
  FinishReason finish_reason = FinishReason::none;  ///< stop, length; cancelled when the callback said so
  std::vector<TokenLogprob> logprobs = {};          ///< one per token, when they are wanted
  std::optional<double> score = {};                 ///< of a beam
};

/// The first text, and others when several were asked for; beams from the best on.
struct GenerateResult : GeneratedText {
  std::vector<GeneratedText> others = {};
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;                   ///< of all texts
  std::vector<TokenLogprob> prompt_logprobs = {};  ///< of the prompt's tokens from the second on, when wanted
  GenerateTimings timings;
};

/// The prompt's ids. Without a tokenizer there is no text, but ids can be given.
std::vector<int32_t> prompt_ids(const LoadedModel& model, const GenerateOptions& options);
/// The request that generate() submits, for those who submit several to one engine. Where an encoder reads tokens, the
/// prompt is its source. Throws as generate() does.
GenerateRequest request_of(const LoadedModel& model, const GenerateOptions& options);

/// `on_text` streams a single text. With beams or several texts nothing streams (the one text of a beam search comes at
/// its end), and it is called with an empty text
/// after each step. Throws UsageError naming the option that does not fit (a prompt and max_tokens that exceed the
/// context, with the exact numbers; nothing is ever cut off in silence; stop strings with beams), Error when a step
/// fails.
GenerateResult generate(LoadedModel& model, const GenerateOptions& options, const TextCallback& on_text = {});

}  // namespace braid
