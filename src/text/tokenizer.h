#pragma once
// Tokenizer: text ↔ token ids, exactly as the files of a model say: added tokens, normaliser, pre-tokeniser,
// model, post-processor, decoder.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/limits.h"
#include "text/base/encoding.h"
#include "text/base/piece.h"

namespace braid {

using text::Encoding;

struct EncodeOptions {
  /// Adds what the template says (beginning-of-text and separator tokens).
  bool add_special = true;
  /// Reads special tokens in the text as such. False for what users write: text that looks like a special token stays
  /// text.
  bool parse_special = true;
  /// Cuts and pads as the file's truncation and padding sections say: what the `tokenizers` library always does, and
  /// transformers on request only.
  bool lengths = false;
  /// Bytes of the text, ascending, in which special tokens are text all the same: what users wrote within a rendered
  /// chat. Of the first text of a pair alone.
  std::span<const text::Span> plain = {};
  /// The second text of a pair.
  std::optional<std::string_view> pair = std::nullopt;
};

namespace text {
struct TokenizerParts;
}

/// Immutable once loaded; any number of threads may use one at a time.
class Tokenizer {
 public:
  /// A folder (tokenizer.json, tokenizer.model, vocab.json and merges.txt, vocab.txt or a .tiktoken file, in this
  /// order, with tokenizer_config.json), or one such file. Throws Error naming file and JSON path: what is missing,
  /// malformed or of an unknown kind.
  static Tokenizer load(const std::string& path, const Limits& limits = {});
  /// Whether a folder holds what load understands.
  static bool is_in(const std::string& folder);
  /// The content of a tokenizer.json; `file` names it in errors.
  static Tokenizer parse(std::string_view json, const std::string& file, const Limits& limits = {});
  /// Put together from parts, by readers of other formats.
  explicit Tokenizer(text::TokenizerParts parts);

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  /// Throws Error: text that is not UTF-8 (with the byte offset) or longer than limits.max_text_bytes, a pattern that
  /// takes too many steps.
  Encoding encode(std::string_view text, const EncodeOptions& options = {}) const;
  /// The text of tokens; ids that no token has are left out. Always valid UTF-8: U+FFFD stands for bytes that are not.
  std::string decode(std::span<const int32_t> ids, bool skip_special = false) const;

  std::optional<int32_t> token_to_id(std::string_view token) const;
  /// The token as the vocabulary spells it ("Ġhello").
  std::optional<std::string> id_to_token(int32_t id) const;
  bool is_special(int32_t id) const;
  /// One more than the highest id.
  int32_t vocabulary_size() const;
  /// What the file asks for and encode does not do, one sentence each (dropout).
  const std::vector<std::string>& notes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace braid
