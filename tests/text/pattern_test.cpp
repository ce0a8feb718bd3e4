// Patterns: the hand-written scanners against PCRE2 on the same expressions, budgets, translation, literals.

#include "text/pattern/pattern.h"

#include <gtest/gtest.h>

#include <random>

#include "support/kit.h"
#include "text/unicode/utf8.h"

namespace braid::text {
namespace {

JsonDocument document(const std::string& text) { return JsonDocument::parse(text, "tokenizer.json"); }

std::vector<Span> matches_of(const Pattern& pattern, std::string_view text) {
  std::vector<Span> matches;
  pattern.find_all(text, matches);
  return matches;
}

std::vector<std::string> texts_of(const Pattern& pattern, std::string_view text) {
  std::vector<std::string> texts;
  for (const Span& match : matches_of(pattern, text))
    texts.emplace_back(text.substr(match.begin, match.end - match.begin));
  return texts;
}

std::unique_ptr<Pattern> regex(const std::string& expression, const Limits& limits = {}) {
  static const JsonDocument kNode = document("{\"pattern\":0}");
  return make_pcre(expression, kNode.root().at("pattern"), limits);
}

std::string show(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += "[" + part + "]";
  return out;
}

/// Characters that the classes of the patterns tell apart, and the letters and marks that contractions are made of.
std::string random_text(std::mt19937& random) {
  static const std::vector<std::string> kCharacters = {
      "a", "s", "t", "r", "e", "v", "m",  "l",  "d",      "S",      "T",      "E",      "L", "Z",
      "'", "'", "’", " ", " ", " ", "\n", "\r", "\t",     "\u00A0", "\u2003", "\u0085", "1", "2",
      "½", "٣", "é", "É", "ǅ", "ʰ", "中", "あ", "ー",     "\u0301", "\u0323", "ſ",      ".", ",",
      "/", "_", "-", "$", "+", "€", "«",  "🦙", "\u200D", "\u0007", "\uE000"};
  std::string text;
  for (size_t length = random() % 14; length > 0; --length) text += kCharacters[random() % kCharacters.size()];
  return text;
}

TEST(Scanners, MatchAsTheirExpressionsDoUnderPcre) {
  for (const std::string_view expression : scanned_expressions()) {
    const JsonDocument node = document("{\"pattern\":0}");
    const auto scanner = make_regex(expression, node.root(), {});
    const auto pcre = make_pcre(expression, node.root(), {});
    std::mt19937 random(11);
    for (int i = 0; i < 4000; ++i) {
      const std::string text = random_text(random);
      ASSERT_EQ(matches_of(*scanner, text), matches_of(*pcre, text)) << expression << "\n"
                                                                     << text << "\n"
                                                                     << show(texts_of(*scanner, text)) << "\n"
                                                                     << show(texts_of(*pcre, text));
    }
  }
}

TEST(Scanners, MatchAsTheirExpressionsDoOnRealText) {
  const auto path = test::kit_path("data/eval/wikitext-2-valid.txt");
  if (!path) GTEST_SKIP() << test::kit_missing("data/eval/wikitext-2-valid.txt");
  const std::string text = test::read_file(*path).substr(0, 100000);
  ASSERT_FALSE(utf8::first_invalid(text));
  const JsonDocument node = document("{\"pattern\":0}");
  for (const std::string_view expression : scanned_expressions()) {
    EXPECT_EQ(matches_of(*make_regex(expression, node.root(), {}), text),
              matches_of(*make_pcre(expression, node.root(), {}), text))
        << expression;
  }
}

/// Reliability case 34: what backtracks without end is an error that names the pattern.
TEST(Regex, ThatBacktracksWithoutEndIsAnErrorNamingIt) {
  const auto pattern = regex("(a+)+$");
  EXPECT_EQ(texts_of(*pattern, "aaaa"), (std::vector<std::string>{"aaaa"}));
  try {
    matches_of(*pattern, std::string(4000, 'a') + "!");
    FAIL() << "found an end";
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("(a+)+$"), std::string::npos) << error.what();
  }
}

TEST(Regex, BudgetCountsAllSearchesOfAText) {
  // Each search ends well below the limit of one search, but there are as many as characters.
  const Limits limits{.regex_match_limit = 200'000};
  const auto pattern = regex("(?:a|b)*[cd]", limits);
  EXPECT_NO_THROW(matches_of(*pattern, std::string(100, 'a')));
  EXPECT_THROW(matches_of(*pattern, std::string(40'000, 'a')), Error);
}

TEST(Regex, TakesTimeInProportionToHarmlessText) {
  const auto pattern = regex("\\p{L}+|\\s+");
  std::string text;
  while (text.size() < 1 << 20) text += "word ";
  EXPECT_EQ(matches_of(*pattern, text).size(), 2 * text.size() / 5);
  EXPECT_EQ(matches_of(*pattern, std::string(1 << 20, 'a')).size(), 1u);
}

TEST(Regex, FindsEmptyMatchesOnceEach) {
  EXPECT_EQ(matches_of(*regex(""), "aé"), (std::vector<Span>{{0, 0}, {1, 1}, {3, 3}}));
  EXPECT_EQ(matches_of(*regex("a*"), "aab"), (std::vector<Span>{{0, 2}, {3, 3}})) << "none where the last match ended";
}

TEST(Regex, ReadsOnigurumasSyntax) {
  EXPECT_EQ(texts_of(*regex("\\h+"), "xyzC0FFEE"), (std::vector<std::string>{"C0FFEE"}))
      << "\\h is a hexadecimal digit";
  EXPECT_EQ(texts_of(*regex("[\\h_]+"), "z_1a z"), (std::vector<std::string>{"_1a"}));
  EXPECT_EQ(texts_of(*regex("[a[bc]]+"), "xabcx"), (std::vector<std::string>{"abc"}))
      << "a class in a class is a union";
  EXPECT_EQ(texts_of(*regex(" ?[^(\\s|[.,!?])]+"), "a b,c"), (std::vector<std::string>{"a", " b", "c"}))
      << "as in BLOOM's";
  EXPECT_EQ(texts_of(*regex("(?m:a.b)"), "a\nb"), (std::vector<std::string>{"a\nb"}))
      << "(?m) is what others call (?s)";
  EXPECT_EQ(texts_of(*regex("^b$"), "a\nb\nc"), (std::vector<std::string>{"b"})) << "^ and $ stand at lines";
  EXPECT_EQ(texts_of(*regex("[[:alpha:]]+"), "1ab2"), (std::vector<std::string>{"ab"}));
  EXPECT_EQ(texts_of(*regex("[]a]+"), "b]a"), (std::vector<std::string>{"]a"}));
  EXPECT_EQ(texts_of(*regex("\\p{Han}+"), "a中文b"), (std::vector<std::string>{"中文"}));
  for (const char* unsupported : {"[a&&b]", "[a[^b]]", "[\\H]", "[[:alpha"})
    EXPECT_THROW(regex(unsupported), Error) << unsupported;
}

TEST(Literal, IsFoundWithoutOverlap) {
  EXPECT_EQ(matches_of(*make_literal("aa"), "aaaaa"), (std::vector<Span>{{0, 2}, {2, 4}}));
  EXPECT_EQ(matches_of(*make_literal("."), "a.b"), (std::vector<Span>{{1, 2}})) << "no expression";
  EXPECT_EQ(matches_of(*make_literal(""), "aé"), (std::vector<Span>{{0, 0}, {1, 1}, {3, 3}}));
  EXPECT_TRUE(matches_of(*make_literal(""), "").empty());
}

}  // namespace
}  // namespace braid::text
