#pragma once
// One object of limits, consulted on every path that takes bytes from outside, and checked size arithmetic.

#include <cstddef>
#include <cstdint>

#include "core/error.h"

namespace braid {

/// What hostile input may ask for at most. The defaults fit every public checkpoint with room to spare.
struct Limits {
  uint64_t max_header_bytes = 100'000'000;   ///< safetensors header (the format's own limit)
  uint64_t max_json_bytes = 256ull << 20;    ///< config, index, tokenizer files
  uint32_t max_json_depth = 64;              ///< nesting of any JSON document
  uint64_t max_tensors = 1'000'000;          ///< tensors in one checkpoint
  uint32_t max_rank = 8;                     ///< dimensions of one tensor
  uint64_t max_layers = 1'000;               ///< layers named by a config
  uint64_t max_vocabulary = 10'000'000;      ///< tokens of one tokenizer
  uint64_t max_token_bytes = 65'536;         ///< bytes of one vocabulary entry
  uint32_t regex_match_limit = 1'000'000;    ///< PCRE2 match limit per search
  uint64_t max_text_bytes = 64ull << 20;     ///< one text to tokenise
  uint64_t max_download_bytes = 1ull << 42;  ///< one file of `braid pull`
};

/// What one chat template may ask for and one rendering of it may spend. The defaults fit every public template and the
/// longest conversation with room to spare.
struct TemplateLimits {
  uint64_t max_source_bytes = 4ull << 20;  ///< of a template; real ones have some thousand
  uint32_t max_nesting = 150;              ///< blocks and brackets within each other: the parser recurses
  uint64_t max_text_bytes = 64ull << 20;   ///< of any string and of the output
  uint64_t max_steps = 10'000'000;         ///< expressions, statements, elements
  uint64_t max_bytes = 256ull << 20;       ///< of the values alive
  uint64_t max_range = 100'000;            ///< numbers of one range, elements of one repeated list
  uint32_t max_depth = 1'000;              ///< calls, blocks and expressions within each other
};

/// a * b and a + b in 64 bits; an overflow throws an Error that names `place`.
uint64_t checked_mul(uint64_t a, uint64_t b, const Place& place);
uint64_t checked_add(uint64_t a, uint64_t b, const Place& place);

}  // namespace braid
