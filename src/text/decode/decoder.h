#pragma once
// Decoders turn the texts of tokens back into text. Each step may join, drop or rewrite the list; at the end it is
// concatenated. One file per kind, one line in list.inc.

#include <memory>
#include <string>
#include <vector>

#include "core/json.h"

namespace braid::text {

class Decoder {
 public:
  virtual ~Decoder() = default;
  virtual void apply(std::vector<std::string>& tokens) const = 0;
};

/// The decoder that a node of tokenizer.json describes. Throws Error naming the kind for unknown ones.
std::unique_ptr<Decoder> read_decoder(const Json& node, const Limits& limits);

/// Every occurrence of `from` as `to`.
std::string replaced(std::string_view text, std::string_view from, std::string_view to);
/// Spaces before marks and English contractions go (the clean-up of WordPiece and CTC).
std::string cleaned_up(std::string text);

}  // namespace braid::text
