#pragma once
// Tokens as text: whole characters as they become certain, up to a stop string.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tasks/stop_strings.h"
#include "text/stream.h"

namespace braid {

class Tokenizer;

/// Whole characters as they become certain, never a part of a stop string. Returning false cancels.
using TextCallback = std::function<bool(std::string_view text)>;

class TextStream {
 public:
  /// Without a tokenizer there is no text. All arguments outlive the stream; what is shown is appended to `text`.
  TextStream(const Tokenizer* tokenizer, const std::vector<std::string>& stop, const TextCallback& show,
             std::string& text);

  /// False when the text has ended.
  bool push(int32_t token);
  /// The rest, at the end of the stream.
  void flush();
  bool cancelled() const { return cancelled_; }
  bool stopped() const { return stops_.stopped(); }
  /// See StopStrings::found().
  const std::string& stop_string() const { return stops_.found(); }

 private:
  bool show(const std::string& text);

  std::optional<StreamDecoder> decoder_;
  StopStrings stops_;
  const TextCallback& show_;
  std::string& text_;
  bool cancelled_ = false;
};

}  // namespace braid
