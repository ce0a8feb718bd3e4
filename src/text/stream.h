#pragma once
// StreamDecoder: text as it may be shown while tokens come one by one. Never half a character.

#include <cstdint>
#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace braid {

/// Text is held back while the decoded tokens end in U+FFFD: the bytes of a character that is still to come. What was
/// shown is a prefix of the decoded whole, but for byte-fallback tokenizers whose run of bytes turns out to be no UTF-8
/// after its first characters were shown.
class StreamDecoder {
 public:
  /// The tokenizer must outlive it.
  explicit StreamDecoder(const Tokenizer& tokenizer, bool skip_special = false)
      : tokenizer_(&tokenizer), skip_special_(skip_special) {}

  /// The text that the next token allows to show; often empty.
  std::string push(int32_t id);
  /// What was held back, at the end of the stream: here U+FFFD may occur. Afterwards a new stream may start.
  std::string flush();

 private:
  /// No character has that many tokens: what is still pending then is broken for good, and shown as it is.
  static constexpr size_t kMostPending = 256;

  /// The text of the tokens that are not shown yet.
  std::string pending() const;

  const Tokenizer* tokenizer_;
  bool skip_special_;
  std::vector<int32_t> ids_;  // the tokens shown last, as context (decoders look at neighbours), then those pending
  size_t context_ = 0;
  std::string shown_;  // the text of the context
};

}  // namespace braid
