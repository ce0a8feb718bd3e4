#pragma once
// How a text is chosen: what is asked for, over the model's generation_config.json, over the defaults.

#include "engine/decoding.h"
#include "files/generation_config.h"

namespace braid {

/// `asked` over `own`. Filters and the temperature of the file count only where the file samples itself (do_sample), or
/// do_sample is asked for.
GenerationConfig settings_of(const GenerationConfig& asked, const GenerationConfig& own);

/// Settings as the engine takes them. A temperature above 0 draws; without one, do_sample or a filter draw at
/// temperature 1, and else the choice is greedy.
DecodingOptions decoding_options(const GenerationConfig& settings, uint64_t seed);

/// Tokens to write after a prompt where max_new_tokens and max_length leave it open: nothing.
std::optional<int64_t> new_tokens(const GenerationConfig& settings, int64_t prompt_tokens);

/// Sequences that run at once for one request.
int64_t width_of(const GenerationConfig& settings);

}  // namespace braid
