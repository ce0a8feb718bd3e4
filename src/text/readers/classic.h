#pragma once
// The tokenizer files from before tokenizer.json: ranks of tiktoken, vocab.json with merges.txt, vocab.txt.

#include <optional>
#include <string>
#include <string_view>

#include "text/parts.h"

namespace braid::text {

/// What tokenizer_config.json says; absent where it does not.
struct TokenizerConfig {
  std::string tokenizer_class;  ///< without "Fast"
  std::optional<bool> add_bos, add_eos, lowercase, chinese, strip_accents, add_prefix_space, legacy;
  std::string bos, eos, unknown, separator, cls;  ///< contents of the special tokens; empty: none
  std::vector<AddedToken> added;                  ///< added_tokens_decoder
};
/// From a folder's tokenizer_config.json and special_tokens_map.json; defaults where there are none.
TokenizerConfig read_tokenizer_config(const std::string& folder, const Limits& limits);

/// Lines "BASE64 RANK" (tiktoken): bytes merge in the order of the ranks of what they become. The pattern that cuts the
/// text is known by the number of ranks of the published files. Throws Error naming the line.
TokenizerParts read_tiktoken(const std::string& text, const std::string& file, const Limits& limits);
/// Byte-level BPE as GPT-2's, Qwen2's or RoBERTa's class of transformers puts it together.
TokenizerParts read_vocab_and_merges(const std::string& folder, const TokenizerConfig& config, const Limits& limits);
/// A token a line; BERT's class of transformers.
TokenizerParts read_vocab_txt(const std::string& text, const std::string& file, const TokenizerConfig& config,
                              const Limits& limits);

}  // namespace braid::text
