#pragma once
// A text between the pre-tokeniser and the post-processor: cut into words, then into tokens.

#include <cstdint>
#include <vector>

#include "text/base/encoding.h"
#include "text/base/piece.h"

namespace braid::text {

/// One token of a word: bytes [begin, end) of the word's text.
struct Token {
  int32_t id;
  uint32_t begin;
  uint32_t end;
};

/// One text on its way through the pre-tokeniser: pieces in order, some of them added tokens already.
struct PreTokenized {
  struct Item {
    Piece piece;
    int32_t token = -1;  ///< the added token that the piece is, or −1
  };
  std::vector<Item> items;
  Arena arena;
  /// The texts stand for their bytes, each to be read as the character that spells it (byte_alphabet). Set by ByteLevel
  /// instead of spelling them out, since the model that follows reads bytes faster.
  bool byte_level = false;

  /// Replaces each item that is no added token by the pieces that cut(piece, emit) emits; empty ones are dropped.
  template <class Cut>
  void split(Cut cut) {
    std::vector<Item> next;
    next.reserve(items.size());
    for (const Item& item : items) {
      if (item.token >= 0) {
        next.push_back(item);
        continue;
      }
      cut(item.piece, [&](const Piece& piece) {
        if (!piece.empty()) next.push_back({piece});
      });
    }
    items = std::move(next);
  }

  /// Spells the bytes out, for readers that know only characters.
  void spell() {
    if (!byte_level) return;
    byte_level = false;
    for (Item& item : items) {
      if (item.token < 0) item.piece = spell_bytes(item.piece, arena);
    }
  }
};

/// Spaces (or their spelling in the byte alphabet) that a token's text starts and ends with.
struct Blanks {
  int64_t leading = 0;
  int64_t trailing = 0;
};

/// The tokens of one text before and while the post-processor works on them.
struct Segment {
  Encoding encoding;
  std::vector<Blanks> blanks;  ///< one per token if the post-processor reads_blanks(), else none
};

}  // namespace braid::text
