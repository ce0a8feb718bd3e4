#pragma once
// What requests for text have in common: how tokens are chosen, where the text ends, how it is sent.

#include "serve/fields.h"
#include "serve/served_model.h"
#include "tasks/generate.h"

namespace braid::serve {

struct GenerationFields {
  GenerateOptions options;  ///< without a prompt
  int64_t n = 1;            ///< texts to each prompt
  bool stream = false;
  bool include_usage = false;  ///< a stream ends with what was used
  bool token_ids = false;      ///< ids beside the text
};

/// Throws ApiError naming the member. A temperature that neither the request nor a model that samples says is 1.
GenerationFields read_generation(Fields& fields, const ServedModel& served);

/// The same of the Anthropic API, which has fewer.
GenerationFields read_message_settings(Fields& fields, const ServedModel& served);

/// Throws ApiError with the exact budget when the prompt, or prompt and max_tokens together, exceed the context.
/// `param` is the prompt's name.
void check_budget(const ServedModel& served, size_t prompt, int64_t max_tokens, std::string_view param);

}  // namespace braid::serve
