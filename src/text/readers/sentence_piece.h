#pragma once
// SentencePiece (Kudo & Richardson 2018), as tokenizer.model and GGUF files hold it: pieces with scores, and how text
// is normalised before.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/parts.h"

namespace braid::text {

struct SentencePieces {
  enum class Type : uint8_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };
  struct Piece {
    std::string_view text;
    float score = 0;
    Type type = Type::normal;
  };
  std::vector<Piece> pieces;  ///< by id
  bool unigram = false;       ///< else byte-pair encoding
  bool byte_fallback = false;
  std::string_view charsmap = {};  ///< precompiled_charsmap; empty: none
  bool add_dummy_prefix = true, remove_extra_whitespaces = false, escape_whitespaces = true;
  /// The dummy prefix is put before the first part of a text only, not behind each special token.
  bool prefix_first_only = false;
  bool special_take_spaces = false;              ///< control and user-defined pieces take the spaces behind them along
  std::vector<int32_t> before = {}, after = {};  ///< tokens around a text
  std::string file = {};                         ///< for errors
  std::string_view content = {};                 ///< of the file, which `pieces` refer to; empty: not known
  std::string field = "pieces";                  ///< what errors call the list of pieces
};

/// Throws Error naming the piece: a byte piece that is not <0xNN>, text that is not UTF-8, a piece that occurs twice, a
/// score that is no number.
TokenizerParts sentence_piece_parts(const SentencePieces& model, const Limits& limits);

/// The content of a tokenizer.model (sentencepiece_model.proto); the pieces refer to `bytes`. Throws Error with the
/// offset: what is cut off, of another wire type, or of a model type other than unigram and BPE.
SentencePieces read_sentence_piece(std::string_view bytes, const std::string& file, const Limits& limits);

}  // namespace braid::text
