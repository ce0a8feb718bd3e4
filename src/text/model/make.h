#pragma once
// Models from the parts that files other than tokenizer.json give.

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "text/model/merges.h"
#include "text/model/model.h"

namespace braid::text {

struct BpeParts {
  Vocabulary vocabulary;
  MergeTable merges;
  std::optional<int32_t> unknown = std::nullopt;
  bool fuse_unknown = false, byte_fallback = false, ignore_merges = false;  ///< as in tokenizer.json
  std::vector<int32_t> whole = {};  ///< tokens that are taken from a word first and merge with nothing
};
std::unique_ptr<Model> make_bpe(BpeParts parts);

struct UnigramParts {
  Vocabulary vocabulary;
  std::vector<double> scores;  ///< by id; NaN: the token is found in no text
  std::optional<int32_t> unknown = std::nullopt;
  bool byte_fallback = false;
};
std::unique_ptr<Model> make_unigram(UnigramParts parts);

struct WordPieceParts {
  Vocabulary vocabulary;
  std::string_view unknown = "[UNK]";
};
std::unique_ptr<Model> make_word_piece(WordPieceParts parts);

}  // namespace braid::text
