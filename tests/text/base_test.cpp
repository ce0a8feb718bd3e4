// Pieces with their origin, and the tables that tokenizers are made of.

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <unordered_map>

#include "text/base/piece.h"
#include "text/base/trie.h"
#include "text/base/vocabulary.h"
#include "text/word_cache.h"

namespace braid::text {
namespace {

using unicode::Change;

std::vector<Span> origins(const Piece& piece) {
  std::vector<Span> spans;
  for (size_t i = 0; i < piece.text.size(); ++i) spans.push_back(piece.source(i, i + 1));
  return spans;
}

TEST(Piece, OfUnchangedTextIsItsOwnOrigin) {
  const Piece piece{.text = "aéb"};
  EXPECT_EQ(piece.source(0, 4), (Span{0, 4}));
  EXPECT_EQ(piece.slice(1, 3).text, "é");
  EXPECT_EQ(piece.slice(1, 4).source(0, 2), (Span{1, 3}));
  EXPECT_EQ(piece.slice(1, 4).slice(2, 3).source(0, 1), (Span{3, 4}));
}

TEST(Piece, RewrittenKeepsWholeCharactersAsOrigin) {
  Arena arena;
  const Piece piece{.text = "aéb"};
  // a goes, é becomes e and a mark, b stays.
  const Piece rewritten = rewrite(piece, std::vector<Change>{{U'e', 0}, {U'\u0301', 1}, {U'b', 0}}, 1, arena);
  EXPECT_EQ(rewritten.text, "e\u0301b");
  EXPECT_EQ(origins(rewritten), (std::vector<Span>{{1, 3}, {1, 3}, {1, 3}, {3, 4}}));
  EXPECT_EQ(rewritten.source(0, 4), (Span{1, 4}));
}

TEST(Piece, RewrittenSwallowsTheCharactersThatAChangeCovers) {
  Arena arena;
  const Piece rewritten = rewrite({.text = "e\u0301xy"}, std::vector<Change>{{U'é', -1}, {U'y', 0}}, 0, arena);
  EXPECT_EQ(rewritten.text, "éy");
  EXPECT_EQ(origins(rewritten), (std::vector<Span>{{0, 1}, {0, 1}, {3, 4}}));
}

TEST(Piece, RewrittenTwiceStillKnowsTheOriginal) {
  Arena arena;
  Piece piece{.text = "xaéb", .origin = nullptr, .start = 0};
  piece = filter(
      piece, [](char32_t c) { return c != U'a'; }, arena);
  piece = map(
      piece, [](char32_t c) { return c == U'b' ? U'β' : c; }, arena);
  EXPECT_EQ(piece.text, "xéβ");
  EXPECT_EQ(origins(piece), (std::vector<Span>{{0, 1}, {2, 4}, {2, 4}, {4, 5}, {4, 5}}));
  EXPECT_EQ(piece.slice(1, 5).source(0, 4), (Span{2, 5}));
}

TEST(Piece, LeftAloneIsNotCopied) {
  Arena arena;
  const Piece piece{.text = "abc"};
  EXPECT_EQ(filter(
                piece, [](char32_t) { return true; }, arena)
                .text.data(),
            piece.text.data());
  EXPECT_EQ(map(
                piece, [](char32_t c) { return c; }, arena)
                .text.data(),
            piece.text.data());
  EXPECT_EQ(replace(piece, {}, "x", arena).text.data(), piece.text.data());
  EXPECT_EQ(prepend(piece, "", arena).text.data(), piece.text.data());
}

TEST(Piece, PrependedSharesTheOriginOfItsFirstCharacter) {
  Arena arena;
  EXPECT_EQ(origins(prepend({.text = "éb"}, "▁", arena)),
            (std::vector<Span>{{0, 2}, {0, 2}, {0, 2}, {0, 2}, {0, 2}, {2, 3}}));
  EXPECT_TRUE(prepend({}, "▁", arena).empty());
}

TEST(Piece, ReplacedPartsTakeTheOriginOfTheirLastByte) {
  Arena arena;
  const Piece replaced = replace({.text = "aXYb"}, std::vector<Span>{{1, 3}}, "--", arena);
  EXPECT_EQ(replaced.text, "a--b");
  EXPECT_EQ(origins(replaced), (std::vector<Span>{{0, 1}, {2, 3}, {2, 3}, {3, 4}}));
  const Piece inserted = replace({.text = "ab"}, std::vector<Span>{{0, 0}, {1, 1}}, "-", arena);
  EXPECT_EQ(inserted.text, "-a-b") << "empty matches insert";
}

TEST(Piece, SpeltOutKeepsTheCharacterOfEachByte) {
  Arena arena;
  const Piece spelt = spell_bytes({.text = " é"}, arena);
  EXPECT_EQ(spelt.text, "ĠÃ©");
  EXPECT_EQ(origins(spelt), (std::vector<Span>{{0, 1}, {0, 1}, {1, 3}, {1, 3}, {1, 3}, {1, 3}}));
}

std::string random_word(std::mt19937& random, size_t longest) {
  std::string word;
  for (size_t length = random() % (longest + 1); length > 0; --length) word += static_cast<char>('a' + random() % 3);
  return word;
}

TEST(Vocabulary, FindsWhatWasAddedAndNothingElse) {
  std::mt19937 random(5);
  Vocabulary vocabulary;
  std::unordered_map<std::string, int32_t> expected;
  for (int32_t id = 0; id < 40'000; id += 1 + static_cast<int32_t>(random() % 3)) {
    const std::string word = random_word(random, 24);
    EXPECT_EQ(vocabulary.add(word, id), expected.try_emplace(word, id).second) << word;
  }
  EXPECT_EQ(vocabulary.size(), expected.size());
  for (const auto& [word, id] : expected) {
    ASSERT_EQ(vocabulary.find(word), id);
    ASSERT_EQ(vocabulary.token(id), word);
  }
  for (int i = 0; i < 10'000; ++i) {
    const std::string word = random_word(random, 24) + "x";
    ASSERT_EQ(vocabulary.find(word), std::nullopt);
  }
}

TEST(Vocabulary, TellsTokensThatShareTheirFirstBytesApart) {
  Vocabulary vocabulary;
  const std::vector<std::string> tokens = {"",           std::string(1, '\0'), "12345678",           "123456789",
                                           "12345678\n", "123456780",          "1234567890123456789"};
  for (size_t i = 0; i < tokens.size(); ++i) ASSERT_TRUE(vocabulary.add(tokens[i], static_cast<int32_t>(i)));
  for (size_t i = 0; i < tokens.size(); ++i) EXPECT_EQ(vocabulary.find(tokens[i]), static_cast<int32_t>(i));
  EXPECT_EQ(vocabulary.find(std::string("\0\0", 2)), std::nullopt) << "zeros behind a token are no part of it";
}

TEST(Vocabulary, HasHolesWhereNoTokenHasTheId) {
  Vocabulary vocabulary;
  EXPECT_TRUE(vocabulary.add("b", 7));
  EXPECT_FALSE(vocabulary.add("c", 7)) << "the id is taken";
  EXPECT_FALSE(vocabulary.add("b", 8)) << "the token is known";
  EXPECT_EQ(vocabulary.token(3), std::nullopt);
  EXPECT_EQ(vocabulary.token(8), std::nullopt);
  EXPECT_EQ(vocabulary.token(-1), std::nullopt);
  EXPECT_EQ(vocabulary.end(), 8u);
  EXPECT_EQ(vocabulary.size(), 1u);
}

TEST(Trie, FollowsItsKeys) {
  std::mt19937 random(6);
  Trie trie;
  std::map<std::string, int32_t> expected;
  for (int32_t i = 0; i < 5000; ++i) {
    const std::string key = random_word(random, 12);
    trie.insert(key, i);
    expected[key] = i;
  }
  for (int i = 0; i < 5000; ++i) {
    const std::string key = random_word(random, 14);
    uint32_t node = 0;
    for (size_t at = 0; at < key.size() && node != Trie::kNone; ++at)
      node = trie.next(node, static_cast<uint8_t>(key[at]));
    const auto known = expected.find(key);
    ASSERT_EQ(node == Trie::kNone ? -1 : trie.value(node), known == expected.end() ? -1 : known->second) << key;
  }
}

TEST(WordCache, GivesBackTheTokensOfAWordAlsoAfterItOverflowed) {
  WordCache cache;
  std::mt19937 random(7);
  const auto tokens_of = [](const std::string& word) {
    std::vector<Token> tokens;
    for (uint32_t i = 0; i <= word.size() % 5; ++i)
      tokens.push_back({static_cast<int32_t>(hash(word, 1) % 1000), i, i + 1});
    return tokens;
  };
  size_t found = 0;
  for (int i = 0; i < 300'000; ++i) {
    const std::string word = std::to_string(random() % 200'000);
    const std::vector<Token> expected = tokens_of(word);
    if (const auto* known = cache.find(word)) {
      ASSERT_EQ(known->size(), expected.size());
      for (size_t k = 0; k < expected.size(); ++k) {
        ASSERT_EQ((*known)[k].id, expected[k].id);
        ASSERT_EQ((*known)[k].end, expected[k].end);
      }
      ++found;
    } else {
      cache.insert(word, expected);
    }
  }
  EXPECT_GT(found, 50'000u);
}

TEST(WordCache, LeavesLongWordsToTheModel) {
  WordCache cache;
  const std::string word(WordCache::kLongestWord + 1, 'a');
  cache.insert(word, std::vector<Token>{{1, 0, 1}});
  EXPECT_EQ(cache.find(word), nullptr);
}

}  // namespace
}  // namespace braid::text
