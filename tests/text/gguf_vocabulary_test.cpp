#include "text/readers/gguf_vocabulary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "core/error.h"
#include "text/readers/gguf_pre.h"
#include "text/tokenizer.h"

namespace braid::text {
namespace {

constexpr int64_t kNormal = 1, kUnknown = 2, kControl = 3, kUser = 4, kByte = 6;

/// A small vocabulary of SentencePiece: letters, some merges, bytes of "é".
struct Pieces {
  std::vector<std::string_view> tokens{"<unk>", "<s>", "</s>", "▁", "a", "b", "ab", "▁ab", "<0xC3>", "<0xA9>", "▁▁"};
  GgufVocabulary vocabulary() const {
    return {.file = "m.gguf",
            .model = "llama",
            .tokens = tokens,
            .scores = {0, 0, 0, -5, -6, -7, -1, -2, 0, 0, 0},
            .types = {kUnknown, kControl, kControl, kNormal, kNormal, kNormal, kNormal, kNormal, kByte, kByte, kUser},
            .bos = 1,
            .eos = 2,
            .unknown = 0};
  }
};

std::vector<int32_t> ids(const GgufVocabulary& vocabulary, std::string_view text, const EncodeOptions& options = {}) {
  return Tokenizer(gguf_vocabulary_parts(vocabulary, {})).encode(text, options).ids;
}

TEST(GgufVocabulary, SentencePieceMergesByScoreAndFallsBackToBytes) {
  const Pieces pieces;
  EXPECT_EQ(ids(pieces.vocabulary(), "ab"), (std::vector<int32_t>{1, 7}))
      << "the prefix, and BOS unless the file denies it";
  EXPECT_EQ(ids(pieces.vocabulary(), "é", {.add_special = false}), (std::vector<int32_t>{3, 8, 9}));
  EXPECT_EQ(ids(pieces.vocabulary(), "é ab", {.add_special = false}), (std::vector<int32_t>{3, 8, 9, 7}));
  EXPECT_EQ(ids(pieces.vocabulary(), "é  ab", {.add_special = false}), (std::vector<int32_t>{3, 8, 9, 10, 6}))
      << "a user-defined piece comes before all merges";
  const Tokenizer tokenizer(gguf_vocabulary_parts(pieces.vocabulary(), {}));
  EXPECT_EQ(tokenizer.decode(std::vector<int32_t>{1, 7, 8, 9}, true), "abé");
}

TEST(GgufVocabulary, FlagsSayWhichTokensAreAdded) {
  const Pieces pieces;
  GgufVocabulary v = pieces.vocabulary();
  v.add_bos = false;
  v.add_eos = true;
  EXPECT_EQ(ids(v, "ab"), (std::vector<int32_t>{7, 2}));
  v.add_space_prefix = false;
  EXPECT_EQ(ids(v, "ab"), (std::vector<int32_t>{6, 2}));
}

TEST(GgufVocabulary, ControlTokensInUserTextStayText) {
  const Pieces pieces;
  const std::vector<int32_t> read = ids(pieces.vocabulary(), "</s>", {.add_special = false});
  const std::vector<int32_t> kept = ids(pieces.vocabulary(), "</s>", {.add_special = false, .parse_special = false});
  EXPECT_EQ(read, (std::vector<int32_t>{2}));
  EXPECT_EQ(std::ranges::count(kept, 2), 0);
}

TEST(GgufVocabulary, WordPieceUndoesThePhantomSpaces) {
  const std::vector<std::string_view> tokens{"[UNK]", "[CLS]", "[SEP]", "▁un", "aff", "able", "▁able"};
  const GgufVocabulary v{.file = "m.gguf",
                         .model = "bert",
                         .tokens = tokens,
                         .types = {kUnknown, kControl, kControl, kNormal, kNormal, kNormal, kNormal},
                         .unknown = 0,
                         .separator = 2,
                         .cls = 1};
  EXPECT_EQ(ids(v, "Unaffable able"), (std::vector<int32_t>{1, 3, 4, 5, 6, 2}));
  EXPECT_EQ(ids(v, "xyz"), (std::vector<int32_t>{1, 0, 2}));
  const Encoding pair = Tokenizer(gguf_vocabulary_parts(v, {})).encode("able", {.pair = "un"});
  EXPECT_EQ(pair.ids, (std::vector<int32_t>{1, 6, 2, 3, 2}));
  EXPECT_EQ(pair.type_ids, (std::vector<int32_t>{0, 0, 0, 1, 1}));
}

TEST(GgufVocabulary, ByteLevelTakesItsPatternByName) {
  const std::vector<std::string_view> tokens{"1", "2", "12", "a", "<|end|>"}, merges{"1 2"};
  GgufVocabulary v{.file = "m.gguf",
                   .model = "gpt2",
                   .pre = "gpt-2",
                   .tokens = tokens,
                   .types = {kNormal, kNormal, kNormal, kNormal, kControl},
                   .merges = merges};
  EXPECT_EQ(ids(v, "12a<|end|>"), (std::vector<int32_t>{2, 3, 4}));
  v.pre = "starcoder";  // each digit is a word
  EXPECT_EQ(ids(v, "12a"), (std::vector<int32_t>{0, 1, 3}));
  v.pre = "";
  EXPECT_EQ(ids(v, "12a"), (std::vector<int32_t>{2, 3})) << "files from before the key";
}

TEST(GgufVocabulary, EveryPreTokeniserThatIsNamedCompiles) {
  const std::vector<std::string_view> tokens{"a"};
  for (const std::string_view pre : gguf_pre_tokenizers()) {
    const GgufVocabulary v{.file = "m.gguf", .model = "gpt2", .pre = pre, .tokens = tokens};
    EXPECT_EQ(ids(v, "a"), (std::vector<int32_t>{0})) << pre;
  }
}

TEST(GgufVocabulary, UnigramTakesTheBestCut) {
  const std::vector<std::string_view> tokens{"<pad>", "</s>", "<unk>", "▁", "a", "b", "▁ab"};
  const GgufVocabulary v{.file = "m.gguf",
                         .model = "t5",
                         .tokens = tokens,
                         .scores = {0, 0, 0, -1, -2, -2, -9},
                         .types = {kControl, kControl, kUnknown, kNormal, kNormal, kNormal, kNormal},
                         .eos = 1,
                         .unknown = 2};
  EXPECT_EQ(ids(v, "ab"), (std::vector<int32_t>{3, 4, 5, 1})) << "EOS unless the file denies it";
  EXPECT_EQ(ids(v, "  a   b "), (std::vector<int32_t>{3, 4, 3, 5, 1})) << "extra spaces go";
}

struct Bad {
  const char* description;
  std::function<void(GgufVocabulary&)> spoil;
  std::string field, what;
};

TEST(GgufVocabulary, BadVocabulariesAreRefusedAtTheirKey) {
  static const std::vector<std::string_view> signed_byte{"<unk>", "<s>", "</s>",   "▁",      "a", "b",
                                                         "ab",    "▁ab", "<0x-1>", "<0xA9>", "▁▁"};
  static const std::vector<std::string_view> twice{"<unk>", "<s>", "</s>",   "▁",      "a", "a",
                                                   "ab",    "▁ab", "<0xC3>", "<0xA9>", "▁▁"};
  static const std::vector<std::string_view> broken{"<unk>", "<s>", "</s>",   "▁",      "a", "\xff",
                                                    "ab",    "▁ab", "<0xC3>", "<0xA9>", "▁▁"};
  static const std::vector<std::string_view> merges{"a", "b"}, absent{"a zz"};
  const Bad cases[] = {
      {"case 24", [](GgufVocabulary& v) { v.tokens = signed_byte; }, "tokenizer.ggml.tokens[8]", "<0x-1>"},
      {"a token twice", [](GgufVocabulary& v) { v.tokens = twice; }, "tokenizer.ggml.tokens[5]", "twice"},
      {"not UTF-8", [](GgufVocabulary& v) { v.tokens = broken; }, "tokenizer.ggml.tokens[5]", "UTF-8"},
      {"no tokens", [](GgufVocabulary& v) { v.tokens = {}, v.scores = {}, v.types = {}; }, "tokenizer.ggml.tokens",
       "0 tokens"},
      {"too few scores", [](GgufVocabulary& v) { v.scores.pop_back(); }, "tokenizer.ggml.scores", "10 entries for 11"},
      {"too few types", [](GgufVocabulary& v) { v.types.pop_back(); }, "tokenizer.ggml.token_type",
       "10 entries for 11"},
      {"type 7", [](GgufVocabulary& v) { v.types[3] = 7; }, "tokenizer.ggml.token_type[3]", "type 7"},
      {"a score of NaN", [](GgufVocabulary& v) { v.scores[4] = std::numeric_limits<float>::quiet_NaN(); },
       "tokenizer.ggml.tokens[4]", "no number"},
      {"BOS beyond the end", [](GgufVocabulary& v) { v.bos = 11; }, "tokenizer.ggml.bos_token_id",
       "outside the vocabulary"},
      {"a negative EOS", [](GgufVocabulary& v) { v.eos = -1, v.add_eos = true; }, "tokenizer.ggml.eos_token_id",
       "outside the vocabulary"},
      {"an unknown kind", [](GgufVocabulary& v) { v.model = "rwkv"; }, "tokenizer.ggml.model", "rwkv"},
      {"an unknown pattern", [](GgufVocabulary& v) { v.model = "gpt2", v.pre = "odd"; }, "tokenizer.ggml.pre", "odd"},
      {"a merge of one", [](GgufVocabulary& v) { v.model = "gpt2", v.merges = merges; }, "tokenizer.ggml.merges[0]",
       "two tokens"},
      {"a merge of an absent token", [](GgufVocabulary& v) { v.model = "gpt2", v.merges = absent; },
       "tokenizer.ggml.merges[0]", "zz"},
  };
  for (const Bad& bad : cases) {
    SCOPED_TRACE(bad.description);
    const Pieces pieces;
    GgufVocabulary v = pieces.vocabulary();
    bad.spoil(v);
    try {
      gguf_vocabulary_parts(v, {});
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.place().file, "m.gguf");
      EXPECT_EQ(error.place().field, bad.field) << error.line();
      EXPECT_NE(error.message().find(bad.what), std::string::npos) << error.line();
    }
  }
}

}  // namespace
}  // namespace braid::text
