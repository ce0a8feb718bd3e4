#pragma once
// What encoding gives, and the steps on the way.

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "text/base/piece.h"

namespace braid::text {

/// Tokens of a text or of a pair; all three have one entry per token.
struct Encoding {
  std::vector<int32_t> ids;
  /// [begin, end) in code points of the original text (in a pair, of the token's own text); (0, 0) for tokens that a
  /// template added.
  std::vector<std::pair<int64_t, int64_t>> offsets;
  std::vector<int32_t> type_ids;
};

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
