#include "cli/flags.h"

#include <gtest/gtest.h>

#include "cli/nearest.h"
#include "core/error.h"

namespace braid::cli {
namespace {

struct Parsed {
  std::string model;
  std::optional<std::string> text;
  std::vector<std::string> stop;
  int64_t count = 5;
  bool quick = false;
  std::string level;
};

Parsed parse(const std::vector<std::string>& arguments) {
  Parsed p;
  Flags flags("braid test", "a test", "braid test");
  flags.positional("MODEL", p.model, "a model", "books-4m");
  flags.text("--text", p.text, "TEXT: a text");
  flags.texts("--stop", p.stop, "TEXT: a text");
  flags.integer("--count", p.count, "N: a number", {.least = 1, .most = 9});
  flags.on_off("--quick", p.quick, "be quick");
  flags.value(
      "-O,--optimize", [&](const std::string& text) { p.level = text; }, "LEVEL: a level");
  EXPECT_TRUE(flags.parse(arguments));
  return p;
}

TEST(Flags, KeepDefaultsOfWhatIsLeftOut) {
  const Parsed p = parse({});
  EXPECT_EQ(p.model, "books-4m");
  EXPECT_EQ(p.text, std::nullopt);
  EXPECT_EQ(p.count, 5);
  EXPECT_FALSE(p.quick);
}

TEST(Flags, TakeValuesBesideAndBehindAnEqualsSign) {
  const Parsed p = parse({"--count=7", "some/model", "--text", "a b", "--quick"});
  EXPECT_EQ(p.model, "some/model");
  EXPECT_EQ(p.count, 7);
  EXPECT_EQ(p.text, "a b");
  EXPECT_TRUE(p.quick);
}

TEST(Flags, TakeAnyTextAsAValue) {
  for (const char* text : {"--quick", "-1", "", "{}", "[a, b]", "%%", "--", "a=b", "\"quoted\"", "日本"})
    EXPECT_EQ(parse({"--text", text}).text, text);
}

TEST(Flags, RepeatAndReplace) {
  EXPECT_EQ(parse({"--stop", "a", "--stop", "b,c"}).stop, (std::vector<std::string>{"a", "b,c"}));
  EXPECT_EQ(parse({"--count", "2", "--count", "3"}).count, 3);
}

TEST(Flags, TakeShortValuesWithoutASpace) {
  EXPECT_EQ(parse({"-O2"}).level, "2");
  EXPECT_EQ(parse({"--optimize", "balanced"}).level, "balanced");
}

TEST(Flags, RefuseNumbersThatAreNone) {
  for (const char* text : {"0", "10", "7x", "", " 7", "99999999999999999999", "1e1", "nan"})
    EXPECT_THROW(parse({"--count", text}), UsageError) << text;
}

TEST(ParseSize, KnowsBinaryUnits) {
  EXPECT_EQ(parse_size("--memory", "1000"), 1000u);
  EXPECT_EQ(parse_size("--memory", "4G"), 4ull << 30);
  EXPECT_EQ(parse_size("--memory", "512MiB"), 512ull << 20);
  EXPECT_EQ(parse_size("--memory", "3kb"), 3ull << 10);
  for (const char* text : {"", "G", "4Q", "4GG", "-1", "0", "99999999999T", "4.5G"})
    EXPECT_THROW(parse_size("--memory", text), UsageError) << text;
}

TEST(ParseIds, ReadsCommasAndSpaces) {
  EXPECT_EQ(parse_ids("--ids", "1, 2,3"), (std::vector<int32_t>{1, 2, 3}));
  EXPECT_TRUE(parse_ids("--ids", "").empty());
  for (const char* text : {"1,,2", "1;2", "-1", "2147483648"})
    EXPECT_THROW(parse_ids("--ids", text), UsageError) << text;
}

TEST(Nearest, IsTheOneWithTheFewestEdits) {
  const std::string_view names[] = {"f64", "bf16", "q8_0"};
  EXPECT_EQ(nearest("bf61", names), "bf16");
  EXPECT_EQ(nearest("q80", names), "q8_0");
  EXPECT_EQ(nearest("elephant", names), "");
}

}  // namespace
}  // namespace braid::cli
