// The truncation and padding sections. The expected ids are those of the `tokenizers` library (0.23).

#include "text/lengths.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "text/small_tokenizer.h"

namespace braid {
namespace {

using Ids = std::vector<int32_t>;

/// Words a to e and x to z; "<" (8) and ">" (9) around texts; "?" (10) pads.
Tokenizer tokenizer_with(const std::string& sections) {
  return test::tokenizer_of(
      R"({"type":"WordLevel","vocab":{"a":0,"b":1,"c":2,"d":3,"e":4,"x":5,"y":6,"z":7,"<":8,">":9,"?":10},"unk_token":"?"})",
      sections + R"("pre_tokenizer":{"type":"WhitespaceSplit"},"post_processor":{"type":"TemplateProcessing",)"
                 R"("single":[{"SpecialToken":{"id":"<","type_id":0}},{"Sequence":{"id":"A","type_id":0}},)"
                 R"({"SpecialToken":{"id":">","type_id":0}}],)"
                 R"("pair":[{"SpecialToken":{"id":"<","type_id":0}},{"Sequence":{"id":"A","type_id":0}},)"
                 R"({"SpecialToken":{"id":">","type_id":0}},{"Sequence":{"id":"B","type_id":1}},)"
                 R"({"SpecialToken":{"id":">","type_id":1}}],)"
                 R"("special_tokens":{"<":{"ids":[8]},">":{"ids":[9]}}},)");
}

std::string cut(int length, const char* strategy = "LongestFirst", const char* direction = "Right") {
  return R"("truncation":{"direction":")" + std::string(direction) + R"(","max_length":)" + std::to_string(length) +
         R"(,"strategy":")" + strategy + R"(","stride":0},)";
}

std::string fill(const char* strategy, const char* direction = "Right", const char* multiple = "null") {
  return R"("padding":{"strategy":)" + std::string(strategy) + R"(,"direction":")" + direction +
         R"(","pad_to_multiple_of":)" + multiple + R"(,"pad_id":10,"pad_type_id":1,"pad_token":"?"},)";
}

struct Case {
  std::string sections, text;
  std::optional<std::string_view> pair;
  Ids ids, type_ids;
  bool add_special = true;
};

TEST(Lengths, AreThoseOfTheReference) {
  const Case cases[] = {
      {cut(4), "a b c d e", {}, {8, 0, 1, 9}, {0, 0, 0, 0}},
      {cut(4, "LongestFirst", "Left"), "a b c d e", {}, {8, 3, 4, 9}, {0, 0, 0, 0}},
      {cut(4), "a b c d e", {}, {0, 1, 2, 3}, {0, 0, 0, 0}, false},
      {cut(7), "a b c d e", "x y", {8, 0, 1, 9, 5, 6, 9}, {0, 0, 0, 0, 1, 1, 1}},
      {cut(8), "a b", "x y z x y z", {8, 0, 1, 9, 5, 6, 7, 9}, {0, 0, 0, 0, 1, 1, 1, 1}},
      {cut(8), "a b c d e", "x y z x y", {8, 0, 1, 9, 5, 6, 7, 9}, {0, 0, 0, 0, 1, 1, 1, 1}},
      {cut(7, "OnlyFirst"), "a b c d e", "x y", {8, 0, 1, 9, 5, 6, 9}, {0, 0, 0, 0, 1, 1, 1}},
      {cut(9, "OnlySecond"), "a b c", "x y z x", {8, 0, 1, 2, 9, 5, 6, 7, 9}, {0, 0, 0, 0, 0, 1, 1, 1, 1}},
      {fill(R"({"Fixed":6})"), "a b", {}, {8, 0, 1, 9, 10, 10}, {0, 0, 0, 0, 1, 1}},
      {fill(R"({"Fixed":6})", "Left"), "a b", {}, {10, 10, 8, 0, 1, 9}, {1, 1, 0, 0, 0, 0}},
      {fill(R"("BatchLongest")", "Right", "4"), "a b c", {}, {8, 0, 1, 2, 9, 10, 10, 10}, {0, 0, 0, 0, 0, 1, 1, 1}},
      {cut(4) + fill(R"({"Fixed":6})"), "a b c d e", {}, {8, 0, 1, 9, 10, 10}, {0, 0, 0, 0, 1, 1}},
  };
  for (const Case& c : cases) {
    const Encoding encoding =
        tokenizer_with(c.sections).encode(c.text, {.add_special = c.add_special, .lengths = true, .pair = c.pair});
    EXPECT_EQ(encoding.ids, c.ids) << c.sections;
    EXPECT_EQ(encoding.type_ids, c.type_ids) << c.sections;
    EXPECT_EQ(encoding.offsets.size(), c.ids.size()) << c.sections;
  }
}

TEST(Lengths, AreLeftAloneUnlessTheCallerAsks) {
  const Tokenizer tokenizer = tokenizer_with(cut(4) + fill(R"({"Fixed":20})"));
  EXPECT_EQ(tokenizer.encode("a b c d e").ids, (Ids{8, 0, 1, 2, 3, 4, 9}));
}

TEST(Lengths, TextsThatCannotBeCutEnoughAreErrors) {
  EXPECT_THROW(tokenizer_with(cut(1)).encode("a", {.lengths = true}), Error) << "two tokens are added";
  EXPECT_THROW(tokenizer_with(cut(4, "OnlySecond")).encode("a b c d", {.lengths = true}), Error);
  EXPECT_THROW(tokenizer_with(cut(5, "OnlyFirst")).encode("a", {.lengths = true, .pair = "x y z x"}), Error);
}

TEST(Lengths, BadSectionsAreRefusedAtTheirMember) {
  for (const std::string& sections :
       {cut(4, "Odd"), cut(4, "OnlyFirst", "Up"), fill(R"("Odd")"), fill(R"({"Fixed":-1})"),
        fill(R"({"Fixed":99999999999})"), std::string(R"("padding":{},)")}) {
    try {
      tokenizer_with(sections);
      ADD_FAILURE() << "accepted " << sections;
    } catch (const Error& error) {
      const std::string& field = error.place().field;
      EXPECT_TRUE(field.starts_with("padding") || field.starts_with("truncation")) << error.line();
    }
  }
}

}  // namespace
}  // namespace braid
