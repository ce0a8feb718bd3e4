#include "core/large_pages.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace braid {
namespace {

TEST(LargePages, GrowAcrossTheSizeOfAHugePageWithTheirContent) {
  LargeVector<uint32_t> numbers;
  constexpr uint32_t kCount = 3 * kHugePage / sizeof(uint32_t);
  for (uint32_t i = 0; i < kCount; ++i) numbers.push_back(i);
  uint32_t wrong = 0;
  for (uint32_t i = 0; i < kCount; ++i) wrong += numbers[i] != i;
  EXPECT_EQ(wrong, 0u);
  LargeVector<uint32_t> copy = numbers;
  numbers.clear();
  numbers.shrink_to_fit();
  EXPECT_EQ(copy.back(), kCount - 1);
}

TEST(LargePages, HoldWhatHasAConstructor) {
  struct Entry {
    int id = -1;
  };
  LargeVector<Entry> entries(kHugePage / sizeof(Entry) + 7);
  EXPECT_EQ(entries.front().id, -1);
  EXPECT_EQ(entries.back().id, -1);
  LargeVector<std::string> texts(3, "a text that lies on the heap by itself");
  texts.emplace_back("b");
  EXPECT_EQ(texts[3], "b");
}

TEST(LargePages, TakeARangeThatHoldsNoWholePage) {
  std::string text(100, 'x');
  prefer_huge_pages(text.data(), text.size());
  prefer_huge_pages(nullptr, 0);
  EXPECT_EQ(text, std::string(100, 'x'));
}

}  // namespace
}  // namespace braid
