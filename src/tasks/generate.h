#pragma once
// Text from a prompt, streamed: what `braid run`, the C++ API and everything that writes text are made of.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "tasks/load.h"

namespace braid {

struct GenerateOptions {
  std::string prompt = {};  ///< text; the tokenizer's template adds what begins a text, once
  std::optional<std::vector<int32_t>> prompt_ids = {};  ///< token ids instead, taken as they are
  Tensor source = {};                                   ///< encoder-decoder models: one window (mel bins, frames) f32
  SamplingOptions sampling = {};
  int64_t max_tokens = 0;              ///< 0: as many as the context leaves
  std::vector<std::string> stop = {};  ///< text ends before the first of them
  bool ignore_eos = false;
};

struct GenerateTimings {
  double load_ms = 0;     ///< load_model, and what was compiled and bound before the first step
  double prefill_ms = 0;  ///< from the first step to the first token
  double decode_ms = 0;   ///< from the first token to the last
  double prefill_tokens_per_s = 0;
  double decode_tokens_per_s = 0;  ///< 0 when there was only one token
};

struct GenerateResult {
  std::vector<int32_t> token_ids;  ///< generated, with the end-of-sequence token or those of the stop string
  std::string text;                ///< without them
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;
  FinishReason finish_reason = FinishReason::none;  ///< stop, length; cancelled when the callback said so
  GenerateTimings timings;
};

/// Whole characters as they become certain, never a part of a stop string. Returning false cancels.
using TextCallback = std::function<bool(std::string_view text)>;

/// The prompt's ids. Without a tokenizer there is no text, but ids can be given.
std::vector<int32_t> prompt_ids(const LoadedModel& model, const GenerateOptions& options);

/// Throws UsageError naming the option that does not fit (a prompt and max_tokens that exceed the context, with the
/// exact numbers; nothing is ever cut off in silence), Error when a step fails.
GenerateResult generate(LoadedModel& model, const GenerateOptions& options, const TextCallback& on_text = {});

}  // namespace braid
