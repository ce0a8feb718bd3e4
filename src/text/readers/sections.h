#pragma once
// Normalisers, pre-tokenisers, post-processors and decoders said as sections of a tokenizer.json: what other files
// imply is written down once, as data.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/parts.h"

namespace braid::text {

std::unique_ptr<Normalizer> normalizer_section(std::string_view json, const Limits& limits);
std::unique_ptr<PreTokenizer> pre_tokenizer_section(std::string_view json, const Limits& limits);
std::unique_ptr<Decoder> decoder_section(std::string_view json, const Limits& limits);

/// The tokens around texts.
struct Frame {
  std::vector<int32_t> before = {}, after = {};  ///< of one text
  /// Of a pair: between the texts, and the second text's type id.
  std::vector<int32_t> between = {};
  int32_t second_type = 0;
  bool empty() const { return before.empty() && after.empty() && between.empty(); }
};
/// Null for an empty frame, as with a tokenizer.json that has no post-processor.
std::unique_ptr<PostProcessor> frame_section(const Frame& frame, const Limits& limits);

/// Text as a JSON string, with its quotes.
std::string quoted_json(std::string_view text);
/// Bytes as Base64.
std::string to_base64(std::string_view bytes);

/// A pre-tokeniser that cuts at matches of patterns, one after the other, and reads bytes.
std::string byte_level_split(std::span<const std::string_view> patterns);
inline constexpr std::string_view kByteLevelDecoder = R"({"type": "ByteLevel"})";

/// How BERT cuts text (transformers' BertTokenizer). `strip_accents`: follows `lowercase` when absent.
struct BertText {
  bool lowercase = true;
  bool chinese = true;  ///< each Chinese character is a word
  std::optional<bool> strip_accents = std::nullopt;
};
std::string bert_normalizer(const BertText& text);

}  // namespace braid::text
