// The tokenizer as a whole: options, added tokens, offsets, ids, threads, and the models of the kit.

#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <thread>

#include "core/error.h"
#include "core/json.h"
#include "support/kit.h"
#include "text/small_tokenizer.h"

namespace braid {
namespace {

using Ids = std::vector<int32_t>;
using Offsets = std::vector<std::pair<int64_t, int64_t>>;

/// Byte-level BPE over a, b, c and the space: "ab" and "abc" merge.
Tokenizer byte_level(const std::string& members = "") {
  return test::tokenizer_of(
      R"({"type":"BPE","vocab":{"a":0,"b":1,"c":2,"Ġ":3,"ab":4,"abc":5},"merges":["a b",["ab","c"]]})",
      R"("pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"decoder":{"type":"ByteLevel"},)" + members);
}

Tokenizer with_added(const std::string& list, const std::string& members = "") {
  return test::tokenizer_of(test::kLetters, members + "\"added_tokens\":" + list + ",");
}

TEST(Tokenizer, MergesBothSpellingsOfAMergeInTheirOrder) {
  EXPECT_EQ(byte_level().encode("abc ab cab").ids, (Ids{5, 3, 4, 3, 2, 4}));
}

TEST(Tokenizer, LeavesOutCharactersThatNoTokenStandsFor) { EXPECT_EQ(byte_level().encode("cxb").ids, (Ids{2, 1})); }

TEST(Tokenizer, GivesNoTokensForNoText) {
  EXPECT_TRUE(byte_level().encode("").ids.empty());
  EXPECT_EQ(byte_level().decode({}), "");
}

TEST(Tokenizer, KnowsItsTokensByNameAndById) {
  const Tokenizer tokenizer =
      byte_level(R"("added_tokens":[{"id":9,"content":"<s>","special":true},{"id":6,"content":"+"}],)");
  EXPECT_EQ(tokenizer.token_to_id("abc"), 5);
  EXPECT_EQ(tokenizer.token_to_id("<s>"), 9);
  EXPECT_EQ(tokenizer.token_to_id("abcd"), std::nullopt);
  EXPECT_EQ(tokenizer.id_to_token(3), "Ġ");
  EXPECT_EQ(tokenizer.id_to_token(9), "<s>");
  EXPECT_EQ(tokenizer.id_to_token(7), std::nullopt);
  EXPECT_EQ(tokenizer.id_to_token(-1), std::nullopt);
  EXPECT_EQ(tokenizer.vocabulary_size(), 10);
  EXPECT_TRUE(tokenizer.is_special(9));
  EXPECT_FALSE(tokenizer.is_special(6));
  EXPECT_FALSE(tokenizer.is_special(5));
  EXPECT_FALSE(tokenizer.is_special(8));
}

TEST(Tokenizer, DecodesUnknownIdsToNothingAndSkipsSpecialTokensOnRequest) {
  const Tokenizer tokenizer =
      byte_level(R"("added_tokens":[{"id":9,"content":"<s>","special":true},{"id":6,"content":"+"}],)");
  const Ids ids{9, 5, 77, -4, 3, 6, 2};
  EXPECT_EQ(tokenizer.decode(ids), "<s>abc +c");
  EXPECT_EQ(tokenizer.decode(ids, true), "abc +c");
}

TEST(Tokenizer, KeepsSpecialTokensInTextAsTextWhenTold) {
  const Tokenizer tokenizer = with_added(
      R"([{"id":30,"content":"ab","special":true,"normalized":false},{"id":31,"content":"cd","special":false,"normalized":false}])");
  EXPECT_EQ(tokenizer.encode("xabcd").ids, (Ids{23, 30, 31}));
  EXPECT_EQ(tokenizer.encode("xabcd", {.parse_special = false}).ids, (Ids{23, 0, 1, 31}))
      << "only special ones stay text";
}

TEST(AddedTokens, TakeTheLongestThatStartsFirst) {
  const Tokenizer tokenizer =
      with_added(R"([{"id":30,"content":"ab"},{"id":31,"content":"abcd"},{"id":32,"content":"bcdef"}])");
  EXPECT_EQ(tokenizer.encode("abcdef").ids, (Ids{31, 4, 5}));
  EXPECT_EQ(tokenizer.encode("abcxbcdef").ids, (Ids{30, 2, 23, 32}));
}

TEST(AddedTokens, TakeSpacesBesideThemAlong) {
  const Tokenizer tokenizer =
      with_added(R"([{"id":30,"content":"Q","lstrip":true},{"id":31,"content":"R","rstrip":true}])");
  const Encoding encoding = tokenizer.encode("a  Q  R  b");
  EXPECT_EQ(encoding.ids, (Ids{0, 30, 26, 26, 31, 1}));
  EXPECT_EQ(encoding.offsets, (Offsets{{0, 1}, {1, 4}, {4, 5}, {5, 6}, {6, 9}, {9, 10}}));
}

TEST(AddedTokens, OfSingleWordsLeaveLongerWordsAlone) {
  const Tokenizer tokenizer = with_added(R"([{"id":30,"content":"ab","single_word":true}])");
  EXPECT_EQ(tokenizer.encode("ab").ids, (Ids{30}));
  EXPECT_EQ(tokenizer.encode("c ab d").ids, (Ids{2, 26, 30, 26, 3}));
  EXPECT_EQ(tokenizer.encode("cab").ids, (Ids{2, 0, 1}));
  EXPECT_EQ(tokenizer.encode("abc").ids, (Ids{0, 1, 2}));
}

TEST(AddedTokens, AreSoughtInNormalizedTextWhenTheyAreNormalized) {
  const std::string lower = R"("normalizer":{"type":"Lowercase"},)";
  const Tokenizer tokenizer =
      with_added(R"([{"id":30,"content":"AB","normalized":true},{"id":31,"content":"XY","normalized":false}])", lower);
  EXPECT_EQ(tokenizer.encode("ABab").ids, (Ids{30, 30}));
  EXPECT_EQ(tokenizer.encode("XYxy").ids, (Ids{31, 23, 24}));
}

TEST(Tokenizer, CountsOffsetsInCharactersOfEachTextOfAPair) {
  const std::string members =
      R"("post_processor":{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A","type_id":0}}],)"
      R"("pair":[{"SpecialToken":{"id":"S","type_id":2}},{"Sequence":{"id":"B","type_id":1}},{"Sequence":{"id":"A","type_id":0}}],)"
      R"("special_tokens":{"S":{"id":"S","ids":[30,31],"tokens":["S","T"]}}},)";
  const Tokenizer tokenizer = with_added(R"([{"id":30,"content":"S"},{"id":31,"content":"é"}])", members);
  const Encoding pair = tokenizer.encode("aéb", {.pair = "ééc"});
  EXPECT_EQ(pair.ids, (Ids{30, 31, 31, 31, 2, 0, 31, 1}));
  EXPECT_EQ(pair.offsets, (Offsets{{0, 0}, {0, 0}, {0, 1}, {1, 2}, {2, 3}, {0, 1}, {1, 2}, {2, 3}}));
  EXPECT_EQ(pair.type_ids, (Ids{2, 2, 1, 1, 1, 0, 0, 0}));
  EXPECT_EQ(tokenizer.encode("a", {.add_special = false, .pair = "b"}).ids, (Ids{1, 0}));
}

TEST(Tokenizer, GivesTheTypesZeroAndOneToAPairWithoutTemplate) {
  const Encoding pair = test::tokenizer_of(test::kLetters).encode("ab", {.pair = "c"});
  EXPECT_EQ(pair.ids, (Ids{0, 1, 2}));
  EXPECT_EQ(pair.type_ids, (Ids{0, 0, 1}));
}

TEST(Tokenizer, SaysWhatOfItsFileItDoesNotDo) {
  const Tokenizer tokenizer =
      test::tokenizer_of(R"({"type":"BPE","vocab":{"a":0},"merges":[],"dropout":0.1})", R"("truncation":null,)");
  ASSERT_EQ(tokenizer.notes().size(), 1u);
  EXPECT_NE(tokenizer.notes()[0].find("dropout"), std::string::npos);
  EXPECT_TRUE(byte_level().notes().empty());
}

TEST(Tokenizer, NamesTheByteOfTextThatIsNoUtf8) {
  const auto offset_of = [](std::string_view text, EncodeOptions options) -> std::optional<uint64_t> {
    try {
      byte_level().encode(text, options);
    } catch (const Error& error) {
      EXPECT_EQ(error.place().field, options.pair ? "pair" : "text");
      return error.place().offset;
    }
    return std::nullopt;
  };
  EXPECT_EQ(offset_of("abc\xFF", {}), 3u);
  EXPECT_EQ(offset_of("aé\xC3", {}), 3u);
  EXPECT_EQ(offset_of("\xED\xA0\x80", {}), 0u) << "a lone surrogate";
  EXPECT_EQ(offset_of("a\xC0\x80", {}), 1u) << "an overlong NUL";
  EXPECT_EQ(offset_of("abc", {.pair = "ab\x80"}), 2u);
  EXPECT_EQ(offset_of(std::string("a\0b", 3), {}), std::nullopt) << "NUL is a character";
}

TEST(Tokenizer, RefusesTextBeyondItsLimit) {
  const Tokenizer tokenizer = Tokenizer::parse(test::tokenizer_json(test::kLetters), "t", {.max_text_bytes = 8});
  EXPECT_EQ(tokenizer.encode("abcdefgh").ids.size(), 8u);
  EXPECT_THROW(tokenizer.encode("abcdefghi"), Error);
}

TEST(Tokenizer, GivesManyThreadsTheSameTokens) {
  const auto folder = test::kit_path("data/tokenizers/gpt-2");
  if (!folder) GTEST_SKIP() << test::kit_missing("data/tokenizers/gpt-2");
  const Tokenizer tokenizer = Tokenizer::load(folder->string());
  const auto path = test::kit_path("data/eval/hound-of-the-baskervilles.txt");
  if (!path) GTEST_SKIP() << test::kit_missing("data/eval/hound-of-the-baskervilles.txt");
  const std::string text = test::read_file(*path).substr(0, 20000);
  const Ids expected = tokenizer.encode(text).ids;
  std::vector<Ids> results(4);
  std::vector<std::thread> threads;
  for (Ids& result : results) threads.emplace_back([&] { result = tokenizer.encode(text).ids; });
  for (std::thread& thread : threads) thread.join();
  for (const Ids& result : results) EXPECT_EQ(result, expected);
}

class BooksTokenizer : public testing::TestWithParam<const char*> {};

TEST_P(BooksTokenizer, GivesThePromptsOfItsModelTheirRecordedIds) {
  const auto folder = test::kit_path(GetParam());
  if (!folder) GTEST_SKIP() << test::kit_missing(GetParam());
  const Tokenizer tokenizer = Tokenizer::load(folder->string());
  const JsonDocument golden = JsonDocument::read((*folder / "golden.json").string());
  const Json cases = golden.root().at("golden_fp32");
  ASSERT_GT(cases.size(), 0u);
  for (size_t i = 0; i < cases.size(); ++i) {
    Ids expected;
    const Json ids = cases[i].at("input_ids");
    for (size_t k = 0; k < ids.size(); ++k) expected.push_back(static_cast<int32_t>(ids[k].as_int()));
    EXPECT_EQ(tokenizer.encode(cases[i].at("prompt").as_string()).ids, expected);
  }
}

TEST_P(BooksTokenizer, DecodesANovelToItself) {
  const auto folder = test::kit_path(GetParam());
  if (!folder) GTEST_SKIP() << test::kit_missing(GetParam());
  const auto novel = test::kit_path("data/eval/hound-of-the-baskervilles.txt");
  if (!novel) GTEST_SKIP() << test::kit_missing("data/eval/hound-of-the-baskervilles.txt");
  const Tokenizer tokenizer = Tokenizer::load((*folder / "tokenizer.json").string());
  const std::string text = test::read_file(*novel);
  const Encoding encoding = tokenizer.encode(text, {.add_special = false});
  EXPECT_EQ(tokenizer.decode(encoding.ids), text);
  int64_t end = 0;
  for (const auto& [from, to] : encoding.offsets) {
    ASSERT_LE(from, end) << "no character is left out";
    ASSERT_LT(from, to);
    end = to;
  }
}

INSTANTIATE_TEST_SUITE_P(Kit, BooksTokenizer, testing::Values("models/books-4m", "models/books-27m"),
                         [](const auto& info) { return std::string(info.param).substr(13); });

}  // namespace
}  // namespace braid
