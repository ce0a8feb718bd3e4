// Fast ways against plain ones on random input, and what must hold for every tokenizer on every text.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "support/kit.h"
#include "text/model/model.h"
#include "text/small_tokenizer.h"
#include "text/unicode/utf8.h"

namespace braid::text {
namespace {

std::string random_text(std::mt19937& random, size_t longest) {
  static constexpr char32_t kFirst[] = {0x20,   0x20,   0x61,   0x61,   0x41,    0x0A,    0xC0,   0x300,
                                        0x3B1,  0x5D0,  0x915,  0xE01,  0x1100,  0x2000,  0x2190, 0x3041,
                                        0x4E00, 0xAC00, 0xFB00, 0xFF01, 0x1F600, 0x20000, 0x00};
  std::string text;
  for (size_t length = random() % (longest + 1); length > 0; --length) {
    utf8::append(text, kFirst[random() % std::size(kFirst)] + random() % (random() % 2 == 0 ? 4 : 26));
  }
  return text;
}

/// Byte-pair encoding as the papers put it: find the pair of lowest rank, merge its leftmost occurrence, again.
std::vector<int32_t> merged_plainly(const std::string& word,
                                    const std::vector<std::pair<std::string, std::string>>& merges,
                                    const Vocabulary& vocabulary) {
  std::vector<std::string> symbols;
  for (const char c : word) symbols.emplace_back(1, c);
  for (;;) {
    size_t best = merges.size(), place = 0;
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      const size_t rank = static_cast<size_t>(
          std::find(merges.begin(), merges.end(), std::pair(symbols[i], symbols[i + 1])) - merges.begin());
      if (rank < best) best = rank, place = i;
    }
    if (best == merges.size()) break;
    symbols[place] += symbols[place + 1];
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(place) + 1);
  }
  std::vector<int32_t> ids;
  for (const std::string& symbol : symbols) ids.push_back(vocabulary.find(symbol).value());
  return ids;
}

/// Texts whose spaces became ▁ are one word, of which the tokenizer makes parts where no token can lie across.
TEST(Bpe, GivesTheSameTokensInPartsAsInTheWholeWord) {
  std::mt19937 random(4);
  size_t in_parts = 0;
  for (int round = 0; round < 60; ++round) {
    // Random merges over a, b and ▁; in most rounds ▁ begins tokens or stands among its like, in others anywhere.
    std::vector<std::string> tokens = {"a", "b", "▁"};
    std::string vocabulary = R"("?":0,"a":1,"b":2,"▁":3)", merges;
    const bool anywhere = round % 4 == 0;
    for (int tries = 0; tries < 200 && tokens.size() < 20; ++tries) {
      const std::string first = tokens[random() % tokens.size()], second = tokens[random() % tokens.size()];
      if (std::ranges::find(tokens, first + second) != tokens.end()) continue;
      if (!anywhere && second.starts_with("▁") && !first.ends_with("▁")) continue;
      vocabulary += ",\"" + first + second + "\":" + std::to_string(tokens.size() + 1);
      merges += (merges.empty() ? "\"" : ",\"") + first + " " + second + "\"";
      tokens.push_back(first + second);
    }
    const std::string json =
        R"({"type":"BPE","unk_token":"?","fuse_unk":true,"vocab":{)" + vocabulary + R"(},"merges":[)" + merges + "]}";
    const JsonDocument document = JsonDocument::parse(json, "t");
    const auto model = read_model(document.root(), {});
    const Tokenizer tokenizer = test::tokenizer_of(json);
    for (int i = 0; i < 50; ++i) {
      static const std::string kCharacters[] = {"a", "b", "▁", "▁", "é"};  // é is unknown
      std::string word;
      for (size_t length = 1 + random() % 12; length > 0; --length) word += kCharacters[random() % 5];
      const auto scratch = model->make_scratch();
      std::vector<Token> whole;
      model->tokenize({word}, *scratch, whole);
      std::vector<int32_t> ids;
      for (const Token& token : whole) ids.push_back(token.id);
      ASSERT_EQ(tokenizer.encode(word).ids, ids) << word << "\n" << json;
      in_parts += model->part_end({word}, 0) < word.size();
    }
  }
  EXPECT_GT(in_parts, 500u);
}

TEST(Bpe, AgreesWithMergingTheLowestPairOneByOne) {
  std::mt19937 random(21);
  for (int round = 0; round < 20; ++round) {
    // Random merges over a, b and c; each joins tokens that are there already.
    std::vector<std::string> tokens = {"a", "b", "c"};
    std::vector<std::pair<std::string, std::string>> merges;
    while (merges.size() < 25) {
      const std::string first = tokens[random() % tokens.size()], second = tokens[random() % tokens.size()];
      if (first.size() + second.size() > 8 || std::find(tokens.begin(), tokens.end(), first + second) != tokens.end())
        continue;
      tokens.push_back(first + second);
      merges.emplace_back(first, second);
    }
    std::shuffle(merges.begin(), merges.end(), random);
    JsonWriter json;
    json.begin_object().member("type", "BPE").key("vocab").begin_object();
    for (size_t i = 0; i < tokens.size(); ++i) json.member(tokens[i], static_cast<int64_t>(i));
    json.end_object().key("merges").begin_array();
    for (const auto& [first, second] : merges) json.value(first + " " + second);
    json.end_array().end_object();
    const JsonDocument document = JsonDocument::parse(json.text(), "t");
    const auto model = read_model(document.root(), {});
    const auto scratch = model->make_scratch();
    for (int i = 0; i < 200; ++i) {
      std::string word(1 + random() % 40, 'a');
      for (char& c : word) c = static_cast<char>('a' + random() % 3);
      std::vector<Token> found;
      model->tokenize({word}, *scratch, found);
      std::vector<int32_t> ids;
      for (const Token& token : found) ids.push_back(token.id);
      ASSERT_EQ(ids, merged_plainly(word, merges, model->vocabulary())) << word << "\n" << json.text();
    }
  }
}

/// The best score of any way to cut the word, by trying all.
double best_score(const std::string& word, size_t at, const std::vector<std::pair<std::string, double>>& pieces) {
  if (at == word.size()) return 0;
  double best = -1e9;
  for (const auto& [piece, score] : pieces) {
    if (word.compare(at, piece.size(), piece) == 0)
      best = std::max(best, score + best_score(word, at + piece.size(), pieces));
  }
  return best;
}

TEST(Unigram, FindsTheBestOfAllCuts) {
  const std::vector<std::pair<std::string, double>> pieces = {{"a", -2.5},  {"b", -2.25},   {"c", -3.75},
                                                              {"ab", -4.0}, {"bc", -4.5},   {"abc", -7.0},
                                                              {"ca", -5.0}, {"cab", -6.75}, {"bb", -3.25}};
  JsonWriter json;
  json.begin_object().member("type", "Unigram").key("vocab").begin_array();
  for (const auto& [piece, score] : pieces) json.begin_array().value(piece).value(score).end_array();
  json.end_array().end_object();
  const JsonDocument document = JsonDocument::parse(json.text(), "t");
  const auto model = read_model(document.root(), {});
  const auto scratch = model->make_scratch();
  std::mt19937 random(22);
  for (int i = 0; i < 300; ++i) {
    std::string word(1 + random() % 12, 'a');
    for (char& c : word) c = static_cast<char>('a' + random() % 3);
    std::vector<Token> tokens;
    model->tokenize({word}, *scratch, tokens);
    double score = 0;
    for (const Token& token : tokens) score += pieces[static_cast<size_t>(token.id)].second;
    EXPECT_EQ(score, best_score(word, 0, pieces)) << word;  // quarters: the sums are exact
  }
}

class KitTokenizer : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const auto path = test::kit_path("data/tokenizers/" + GetParam());
    if (!path) GTEST_SKIP() << test::kit_missing("data/tokenizers/" + GetParam());
    tokenizer_.emplace(Tokenizer::load(path->string()));
  }
  std::optional<Tokenizer> tokenizer_;
};

TEST_P(KitTokenizer, GivesEveryTextOffsetsInsideItAndKnownTokens) {
  std::mt19937 random(23);
  for (int i = 0; i < 300; ++i) {
    const std::string text = random_text(random, 40);
    const Encoding encoding = tokenizer_->encode(text, {.pair = text});
    ASSERT_EQ(encoding.ids.size(), encoding.offsets.size());
    ASSERT_EQ(encoding.ids.size(), encoding.type_ids.size());
    const auto length = static_cast<int64_t>(utf8::count(text));
    for (size_t k = 0; k < encoding.ids.size(); ++k) {
      ASSERT_TRUE(tokenizer_->id_to_token(encoding.ids[k]).has_value());
      ASSERT_LT(encoding.ids[k], tokenizer_->vocabulary_size());
      const auto [begin, end] = encoding.offsets[k];
      ASSERT_TRUE(0 <= begin && begin <= end && end <= length) << text << " " << begin << " " << end;
    }
    ASSERT_EQ(utf8::first_invalid(tokenizer_->decode(encoding.ids)), std::nullopt);
  }
}

TEST_P(KitTokenizer, GivesTheSameTokensWhenItHasSeenTheWordsBefore) {
  const auto path = test::kit_path("data/tokenizers/" + GetParam());
  std::mt19937 random(24);
  std::string all;
  for (int i = 0; i < 100; ++i) all += random_text(random, 30);
  const std::vector<int32_t> first = tokenizer_->encode(all).ids;
  for (int i = 0; i < 100; ++i) tokenizer_->encode(random_text(random, 30));
  EXPECT_EQ(tokenizer_->encode(all).ids, first);
}

std::vector<std::string> names() { return test::kit_names("data/tokenizers"); }

INSTANTIATE_TEST_SUITE_P(Kit, KitTokenizer, testing::ValuesIn([] {
                           std::vector<std::string> found;
                           for (const std::string& name : names()) {
                             if (test::kit_path("data/tokenizers/" + name + "/tokenizer.json")) found.push_back(name);
                           }
                           return found;
                         }()),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace_if(
                               name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
                           return name;
                         });

/// Byte-level tokenizers without a normaliser lose nothing.
TEST(ByteLevelTokenizers, DecodeEveryTextToItself) {
  size_t tried = 0;
  for (const char* name : {"gpt-2", "starcoder", "llama3-style", "deepseek-v3-style", "tekken-style", "o200k-style"}) {
    const auto path = test::kit_path(std::string("data/tokenizers/") + name);
    if (!path) continue;
    const Tokenizer tokenizer = Tokenizer::load(path->string());
    std::mt19937 random(25);
    for (int i = 0; i < 300; ++i) {
      const std::string text = random_text(random, 60);
      ASSERT_EQ(tokenizer.decode(tokenizer.encode(text, {.add_special = false}).ids), text) << name;
    }
    ++tried;
  }
  EXPECT_GT(tried, 0u);
}

TEST(AddedTokens, AgreeWithTryingEachAtEachPlace) {
  const std::vector<std::string> contents = {"ab", "abc", "bca", "aaa", "dc", "cab"};
  std::string list;
  for (size_t i = 0; i < contents.size(); ++i)
    list += (i > 0 ? "," : "") + (R"({"id":)" + std::to_string(100 + i)) + R"(,"content":")" + contents[i] + "\"}";
  const Tokenizer tokenizer = test::tokenizer_of(test::kLetters, "\"added_tokens\":[" + list + "],");
  std::mt19937 random(26);
  for (int i = 0; i < 500; ++i) {
    std::string text(random() % 20, 'a');
    for (char& c : text) c = static_cast<char>('a' + random() % 4);
    std::vector<int32_t> expected;
    for (size_t at = 0; at < text.size();) {
      size_t longest = 0, which = 0;
      for (size_t k = 0; k < contents.size(); ++k) {
        if (contents[k].size() > longest && text.compare(at, contents[k].size(), contents[k]) == 0)
          longest = contents[k].size(), which = k;
      }
      expected.push_back(longest > 0 ? static_cast<int32_t>(100 + which) : text[at] - 'a');
      at += std::max<size_t>(longest, 1);
    }
    EXPECT_EQ(tokenizer.encode(text).ids, expected) << text;
  }
}

}  // namespace
}  // namespace braid::text
