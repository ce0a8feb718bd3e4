#include "tasks/stop_strings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "core/error.h"

namespace braid {
namespace {

TEST(StopStrings, HoldBackWhatMayBeTheBeginningOfOne) {
  StopStrings stops({"END"});
  EXPECT_EQ(stops.push("the E"), "the ");
  EXPECT_EQ(stops.push("N"), "");
  EXPECT_EQ(stops.push("tire"), "ENtire");
  EXPECT_EQ(stops.push(" END of it"), " ");
  EXPECT_TRUE(stops.stopped());
  EXPECT_EQ(stops.found(), "END");
  EXPECT_EQ(stops.push("more"), "");
  EXPECT_EQ(stops.flush(), "");
}

TEST(StopStrings, ShowWhatWasHeldBackAtTheEndOfTheStream) {
  StopStrings stops({"\n\n"});
  EXPECT_EQ(stops.push("a line\n"), "a line");
  EXPECT_EQ(stops.flush(), "\n");
  EXPECT_FALSE(stops.stopped());
}

TEST(StopStrings, OfSeveralTheOneThatIsCompleteFirstCounts) {
  for (const bool at_once : {true, false}) {
    StopStrings stops({"cd", "bcde", "bcd"});
    std::string shown;
    if (at_once) shown = stops.push("abcdef");
    for (const char c : std::string_view(at_once ? "" : "abcdef")) shown += stops.push({&c, 1});
    EXPECT_EQ(shown, "a") << "\"bcd\" ends with \"cd\" and is longer";
    EXPECT_TRUE(stops.stopped());
  }
}

TEST(StopStrings, FindOneThatOverlapsItsOwnBeginning) {
  StopStrings stops({"aab"});
  std::string shown;
  for (const char c : std::string_view("caaab!")) shown += stops.push({&c, 1});
  EXPECT_EQ(shown, "ca");
  EXPECT_TRUE(stops.stopped());
}

TEST(StopStrings, AnEmptyOneIsRefused) { EXPECT_THROW(StopStrings({"a", ""}), UsageError); }

TEST(StopStrings, HoweverATextIsCutWhatIsShownEndsBeforeTheFirstStop) {
  std::mt19937 random(5);
  const auto letters = [&](size_t n) {
    std::string text;
    for (size_t i = 0; i < n; ++i) text += static_cast<char>('a' + random() % 2);
    return text;
  };
  for (int i = 0; i < 2'000; ++i) {
    const std::vector<std::string> list{letters(1 + random() % 6), letters(3 + random() % 6)};
    const std::string text = letters(40);
    size_t end = std::string::npos;  // before the stop that is complete first
    for (size_t n = 1; n <= text.size() && end == std::string::npos; ++n)
      for (const std::string& stop : list)
        if (text.substr(0, n).ends_with(stop)) end = std::min(end, n - stop.size());
    StopStrings stops(list);
    std::string shown;
    for (size_t at = 0; at < text.size() && !stops.stopped();) {
      const size_t n = 1 + random() % 4;
      shown += stops.push(text.substr(at, n));
      at += n;
      ASSERT_TRUE(text.substr(0, end).starts_with(shown)) << text << " shown " << shown;
    }
    shown += stops.flush();
    ASSERT_EQ(shown, text.substr(0, end));
    ASSERT_EQ(stops.stopped(), end != std::string::npos);
  }
}

}  // namespace
}  // namespace braid
