#pragma once
// The vocabulary of a GGUF file (tokenizer.ggml.*) → parts. The metadata are read by the caller: this folder knows no
// files.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/parts.h"

namespace braid::text {

struct GgufVocabulary {
  std::string file;                               ///< for errors
  std::string_view model;                         ///< tokenizer.ggml.model: "llama", "gpt2", "bert", "t5"
  std::string_view pre = {};                      ///< tokenizer.ggml.pre
  std::span<const std::string_view> tokens = {};  ///< by id
  std::vector<float> scores = {};                 ///< of each token; empty: none
  std::vector<int64_t> types = {};                ///< SentencePiece's, of each token; empty: all normal
  std::span<const std::string_view> merges = {};
  std::string_view charsmap = {};
  std::optional<int64_t> bos = {}, eos = {}, unknown = {}, separator = {}, cls = {};
  bool special_take_spaces = false;  ///< special tokens take the spaces behind them along
  std::optional<bool> add_bos = {}, add_eos = {}, add_separator = {}, add_space_prefix = {},
                      remove_extra_whitespaces = {};
};

/// Throws Error naming the key and the token: lists of different lengths, ids that are no token's, an unknown model or
/// pre-tokeniser.
TokenizerParts gguf_vocabulary_parts(const GgufVocabulary& vocabulary, const Limits& limits);

}  // namespace braid::text
