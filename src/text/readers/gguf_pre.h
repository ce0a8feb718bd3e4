#pragma once
// tokenizer.ggml.pre: GGUF names the pre-tokeniser of a byte-level vocabulary instead of describing it.

#include <span>
#include <string_view>
#include <vector>

namespace braid::text {

struct GgufPreTokenizer {
  std::span<const std::string_view> names;
  std::span<const std::string_view> patterns;  ///< text is cut at their matches, one pattern after the other
  std::string_view normalizer = {};            ///< a section of tokenizer.json; empty: none
  bool ignore_merges = false;                  ///< a word that is a token needs no merges
  bool add_bos = false;                        ///< where the file does not say
};

/// Null for a name that is not known. "" is "default", as for files from before the key was written.
const GgufPreTokenizer* find_gguf_pre_tokenizer(std::string_view name);
std::vector<std::string_view> gguf_pre_tokenizers();

}  // namespace braid::text
