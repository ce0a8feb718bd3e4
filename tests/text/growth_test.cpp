// The work for hostile words, counted in steps, grows with their length and no faster.

#include <gtest/gtest.h>

#include "support/kit.h"
#include "text/model/model.h"
#include "text/pattern/pattern.h"
#include "text/small_tokenizer.h"

namespace braid::text {
namespace {

uint64_t steps_for(const Model& model, const std::string& word) {
  const auto scratch = model.make_scratch();
  std::vector<Token> tokens;
  model.tokenize({word}, *scratch, tokens);
  EXPECT_FALSE(tokens.empty());
  return scratch->steps;
}

std::unique_ptr<Model> model_of(const std::string& json) {
  const JsonDocument document = JsonDocument::parse(json, "t");
  return read_model(document.root(), {});
}

/// a, aa, aaaa … up to 2^8 letters, each of two of the one before.
std::string doubling_bpe() {
  std::string vocabulary, merges;
  for (int i = 0; i <= 8; ++i) {
    const std::string token(size_t{1} << i, 'a');
    vocabulary += (i > 0 ? "," : "") + ("\"" + token + "\":") + std::to_string(i);
    if (i < 8) merges += (i > 0 ? "," : "") + ("\"" + token + " " + token + "\"");
  }
  return R"({"type":"BPE","vocab":{)" + vocabulary + R"(},"merges":[)" + merges + "]}";
}

TEST(BpeWork, GrowsInProportionToAWordOfOneLetter) {
  const auto model = model_of(doubling_bpe());
  for (const size_t length : {1000u, 10'000u, 100'000u, 1'000'000u}) {
    // n − 1 pairs to begin with, and each of at most n − 1 merges finds at most two new ones.
    EXPECT_LE(steps_for(*model, std::string(length, 'a')), 3 * length) << length;
  }
}

TEST(BpeWork, GrowsInProportionToAWordOfManyLetters) {
  const auto folder = test::kit_path("data/tokenizers/gpt-2");
  if (!folder) GTEST_SKIP() << test::kit_missing("data/tokenizers/gpt-2");
  const JsonDocument document = JsonDocument::read((*folder / "tokenizer.json").string());
  const auto model = read_model(document.root().at("model"), {});
  std::string word;
  while (word.size() < 300'000) word += "internationalisation";
  EXPECT_LE(steps_for(*model, word), 3 * word.size());
}

TEST(UnigramWork, GrowsWithTheLengthTimesTheLongestToken) {
  const auto model = model_of(R"({"type":"Unigram","unk_id":0,"vocab":[["?",0],["a",-1],["aa",-1.5],["aaaa",-2]]})");
  for (const size_t length : {1000u, 100'000u}) EXPECT_LE(steps_for(*model, std::string(length, 'a')), 4 * length);
}

TEST(WordPieceWork, GrowsWithTheLengthTimesTheLongestToken) {
  const auto model = model_of(
      R"({"type":"WordPiece","unk_token":"?","continuing_subword_prefix":"##","max_input_chars_per_word":1000000,"vocab":{"?":0,"a":1,"##a":2,"##aaaa":3}})");
  for (const size_t length : {1000u, 100'000u}) EXPECT_LE(steps_for(*model, std::string(length, 'a')), 6 * length);
}

TEST(Tokenizer, CutsAMebibyteOfOneLetterIntoAsManyTokensAsItHasLetters) {
  const Tokenizer tokenizer = test::tokenizer_of(test::kLetters);
  EXPECT_EQ(tokenizer.encode(std::string(1 << 20, 'a')).ids.size(), size_t{1} << 20);
}

}  // namespace
}  // namespace braid::text
