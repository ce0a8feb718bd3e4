#include "core/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "core/json_scan.h"

namespace braid {
namespace {

JsonDocument parse(const std::string& text) { return JsonDocument::parse(text, "doc.json"); }

Error failure(const std::string& text, const Limits& limits = {}, uint64_t base = 0) {
  try {
    JsonDocument::parse(text, "doc.json", limits, base);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "accepted: " << text.substr(0, 80);
  return Error("");
}

template <class F>
Error failure_of(F&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error("");
}

TEST(Json, ReadsEveryKind) {
  const JsonDocument doc = parse(R"({"n":null,"t":true,"f":false,"i":-3,"r":0.5,"s":"x","a":[1,2],"o":{"k":"v"}})");
  const Json root = doc.root();
  EXPECT_EQ(root.size(), 8u);
  EXPECT_TRUE(root.at("n").is_null());
  EXPECT_TRUE(root.at("t").as_bool());
  EXPECT_FALSE(root.at("f").as_bool());
  EXPECT_EQ(root.at("i").as_int(), -3);
  EXPECT_EQ(root.at("r").as_double(), 0.5);
  EXPECT_EQ(root.at("s").as_string(), "x");
  EXPECT_EQ(root.at("a")[1].as_int(), 2);
  EXPECT_EQ(root.at("o").at("k").as_string(), "v");
  EXPECT_EQ(root.key(7), "o");
  EXPECT_EQ(root.value(3).as_int(), -3);
  EXPECT_FALSE(root.find("absent").has_value());
}

TEST(Json, ReadsADocumentThatIsNoContainer) {
  EXPECT_EQ(parse(" 7 ").root().as_int(), 7);
  EXPECT_EQ(parse("\"x\"").root().as_string(), "x");
  EXPECT_EQ(parse("[]").root().size(), 0u);
  EXPECT_EQ(parse("{}").root().size(), 0u);
}

TEST(Json, NumbersAreExact) {
  const JsonDocument doc = parse(
      "[9223372036854775807,-9223372036854775808,18446744073709551615,0.1,1.7976931348623157e308,5e-324,"
      "2.2250738585072011e-308,9007199254740993,3.0,1e3]");
  const Json a = doc.root();
  EXPECT_EQ(a[0].as_int(), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(a[1].as_int(), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(a[2].as_uint(), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(a[3].as_double(), 0.1);
  EXPECT_EQ(a[4].as_double(), std::numeric_limits<double>::max());
  EXPECT_EQ(a[5].as_double(), std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(a[6].as_double(), 2.2250738585072011e-308);
  EXPECT_EQ(a[7].as_int(), 9007199254740993);
  EXPECT_EQ(a[8].as_int(), 3);
  EXPECT_EQ(a[9].as_int(), 1000);
  EXPECT_THROW(a[2].as_int(), Error);
  EXPECT_THROW(a[3].as_int(), Error);
  EXPECT_THROW(a[1].as_uint(), Error);
}

TEST(Json, IntegersBeyond64BitsAreReals) {
  const JsonDocument doc = parse(
      R"({"model_max_length":1000000000000000019884624838656,"s":"1000000000000000019884624838656 \" 99999999999999999999",
      "n":-99999999999999999999,"m":18446744073709551616,"k":1e5,"u":18446744073709551615})");
  EXPECT_EQ(doc.root().at("model_max_length").as_double(), 1000000000000000019884624838656.0);
  EXPECT_EQ(doc.root().at("s").as_string(), "1000000000000000019884624838656 \" 99999999999999999999");
  EXPECT_EQ(doc.root().at("n").as_double(), -1e20);
  EXPECT_EQ(doc.root().at("m").as_double(), 0x1p64);
  EXPECT_EQ(doc.root().at("u").as_uint(), std::numeric_limits<uint64_t>::max());
  EXPECT_THROW(doc.root().at("model_max_length").as_int(), Error);
  EXPECT_THROW(doc.root().at("m").as_uint(), Error);
}

struct BadText {
  std::string text;
  uint64_t offset;
  std::string what;
};

TEST(Json, FaultsAreRefusedAtTheirOffset) {
  const BadText cases[] = {
      {"", 0, "empty"},
      {"  ", 2, "empty"},
      {"{\"a\":1} x", 8, "after the end"},
      {"[1,2", 4, "too early"},
      {"[1,]", 3, "not a JSON value"},
      {"[1 2]", 3, "expected ','"},
      {"{\"a\" 1}", 5, "expected ':'"},
      {"{a:1}", 1, "key"},
      {"{\"a\":}", 5, "not a JSON value"},
      {"[1e400]", 1, "overflow"},
      {"[-1e400]", 1, "overflow"},
      {"[01]", 1, "begin with 0"},
      {"[1.]", 3, "digit"},
      {"[.5]", 1, "not a JSON value"},
      {"[+1]", 1, "not a JSON value"},
      {"[NaN]", 1, "not a JSON value"},
      {"[Infinity]", 1, "not a JSON value"},
      {"[tru]", 1, "not a JSON value"},
      {"[\"a]", 1, "not closed"},
      {"[\"\\x\"]", 2, "escape"},
      {"[\"\\u12g4\"]", 6, "hexadecimal"},
      {"[\"\\ud800\"]", 2, "surrogate"},
      {"[\"\\udc00\"]", 2, "surrogate"},
      {"[\"\\uD800\\u0041\"]", 2, "surrogate"},
      {"[\"a\nb\"]", 3, "control"},
      {"[\"\xff\"]", 2, "UTF-8"},
      {"[\"\xc0\x80\"]", 2, "UTF-8"},
      {"[\"\xed\xa0\x80\"]", 2, "UTF-8"},
      {"[\"\xf4\x90\x80\x80\"]", 2, "UTF-8"},
      {"[\"\xe2\x82\"]", 2, "UTF-8"},
      {"// comment\n1", 0, "not a JSON value"},
      {std::string("[1]\0", 4), 3, "after the end"},
      {"\xef\xbb\xbf{}", 0, "not a JSON value"},
  };
  for (const BadText& bad : cases) {
    const Error error = failure(bad.text);
    EXPECT_EQ(error.place().file, "doc.json");
    EXPECT_EQ(error.place().offset, bad.offset) << bad.text << " → " << error.line();
    EXPECT_NE(error.message().find(bad.what), std::string::npos) << bad.text << " → " << error.line();
  }
}

TEST(Json, BaseIsAddedToOffsets) { EXPECT_EQ(failure("[1,]", {}, 8).place().offset, 11u); }

TEST(Json, DuplicateKeysAreRefusedInEverySpelling) {
  const Error plain = failure(R"({"m":{"a":1,"b":2,"a":3}})");
  EXPECT_EQ(plain.place().field, "m.a");
  EXPECT_EQ(plain.place().offset, 18u);
  const Error escaped = failure(R"({"a":1,"\u0061":2})");
  EXPECT_EQ(escaped.place().field, "a");
  EXPECT_EQ(escaped.place().offset, 7u);
  EXPECT_NE(escaped.message().find("duplicate key \"a\""), std::string::npos);
  failure(R"({"":1,"":2})");
  EXPECT_EQ(failure(R"([{"x":1},{"y":[{"z":0,"z":0}]}])").place().field, "[1].y[0].z");
}

TEST(Json, DuplicateKeysOfALargeObjectAreRefused) {
  std::string text = "{";
  for (int i = 0; i < 1000; ++i) text += "\"key" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  const size_t offset = text.size();
  const Error error = failure(text + "\"key\\u0037\":0}");
  EXPECT_EQ(error.place().field, "key7");
  EXPECT_EQ(error.place().offset, offset);
}

TEST(Json, FindsMembersOfALargeObject) {
  std::string text = "{";
  for (int i = 0; i < 5000; ++i) text += (i ? ",\"" : "\"") + std::to_string(i * 7919) + "\":" + std::to_string(i);
  const JsonDocument doc = parse(text + "}");
  for (int i = 0; i < 5000; ++i) {
    ASSERT_EQ(doc.root().at(std::to_string(i * 7919)).as_int(), i);
    ASSERT_EQ(doc.root().key(static_cast<size_t>(i)), std::to_string(i * 7919));
  }
  EXPECT_FALSE(doc.root().find("-1").has_value());
}

TEST(Json, NestingIsLimitedWithoutOverflowingTheStack) {
  for (const char* open : {"[", "{\"a\":"}) {
    std::string text;
    for (int i = 0; i < 100'000; ++i) text += open;
    const Error error = failure(text);
    EXPECT_NE(error.message().find("nested deeper than 64"), std::string::npos) << error.line();
    EXPECT_TRUE(error.place().offset.has_value());
  }
  Limits limits;
  limits.max_json_depth = 3;
  EXPECT_EQ(JsonDocument::parse("[[[1]]]", "", limits).root()[0][0][0].as_int(), 1);
  EXPECT_EQ(failure("[[[[1]]]]", limits).place().offset, 3u);
  limits.max_json_depth = UINT32_MAX;  // more than what can be built recursively is cut to what can
  failure(std::string(100'000, '['), limits);
}

TEST(Json, StringsAreDecoded) {
  const JsonDocument doc = parse(R"(["\u0120a\n\"\\\/","😀\ud83d\ude00","\u0000x"])");
  EXPECT_EQ(doc.root()[0].as_string(), "\u0120a\n\"\\/");
  EXPECT_EQ(doc.root()[1].as_string(), "😀😀");
  EXPECT_EQ(doc.root()[2].as_string(), std::string_view("\0x", 2));
}

TEST(Json, ErrorsNameThePathAndOffsetOfAValue) {
  const JsonDocument doc = parse(R"({"model": {"type": 3, "merges": ["a", ["b", 4]]}, "x": {}})");
  const Json four = doc.root().at("model").at("merges")[1][1];
  EXPECT_EQ(four.path(), "model.merges[1][1]");
  const Error error = failure_of([&] { four.as_string(); });
  EXPECT_EQ(error.line(), "expected a string, found an integer (doc.json, model.merges[1][1], offset 44)");
  EXPECT_EQ(failure_of([&] { doc.root().at("model").at("absent"); }).place().field, "model");
  EXPECT_EQ(failure_of([&] { doc.root().at("x").at("y"); }).message(), "the key \"y\" is missing");
  EXPECT_THROW(doc.root().at("x")[0], Error);
  EXPECT_THROW(doc.root()[0].at("type").at("z"), Error);
  EXPECT_THROW(four.size(), Error);
}

TEST(Json, PathsOfEveryValueOfANestedDocumentAreRight) {
  const JsonDocument doc = parse(R"({"a":[],"b":[[],[1,[2]],{}],"c":{"d":{"e":[{"f":0}]},"g":[3]}})");
  EXPECT_EQ(doc.root().path(), "");
  EXPECT_EQ(doc.root().at("b")[1][1][0].path(), "b[1][1][0]");
  EXPECT_EQ(doc.root().at("b")[2].path(), "b[2]");
  EXPECT_EQ(doc.root().at("c").at("d").at("e")[0].at("f").path(), "c.d.e[0].f");
  EXPECT_EQ(doc.root().at("c").at("g")[0].path(), "c.g[0]");
  EXPECT_EQ(doc.root().at("c").at("g")[0].offset(), 58u);
}

TEST(Json, ReadingAFileChecksItsSize) {
  EXPECT_THROW(JsonDocument::read("/nonexistent/file.json"), Error);
  EXPECT_THROW(JsonDocument::read("/"), Error);
}

TEST(JsonWriter, WritesWhatTheReaderReads) {
  JsonWriter w;
  const int32_t ids[] = {1, 2, 3};
  w.begin_object()
      .member("text", "a\"\\\n\t\x01ü😀")
      .member("flag", true)
      .member("int", int64_t{-5})
      .member("big", UINT64_MAX)
      .member("real", 0.1)
      .member("whole", 2.0)
      .member("nan", std::nan(""))
      .list("ids", std::span<const int32_t>(ids));
  w.key("nested").begin_array().begin_object().end_object().null().end_array().end_object();
  const JsonDocument doc = parse(w.text());
  EXPECT_EQ(doc.root().at("text").as_string(), "a\"\\\n\t\x01ü😀");
  EXPECT_TRUE(doc.root().at("flag").as_bool());
  EXPECT_EQ(doc.root().at("int").as_int(), -5);
  EXPECT_EQ(doc.root().at("big").as_uint(), UINT64_MAX);
  EXPECT_EQ(doc.root().at("real").as_double(), 0.1);
  EXPECT_EQ(doc.root().at("whole").kind(), Json::Kind::real);
  EXPECT_TRUE(doc.root().at("nan").is_null());
  EXPECT_EQ(doc.root().at("ids")[2].as_int(), 3);
  EXPECT_EQ(doc.root().at("nested").size(), 2u);
}

TEST(JsonWriter, RefusesTextThatIsNotUtf8) {
  JsonWriter w;
  EXPECT_THROW(w.value("\xff"), Error);
}

TEST(JsonScan, AgreesWithTheReaderOnEveryByteFlip) {
  const std::string text = R"({"a":[1,-2.5e3,"x\u00e9\ud83d\ude00é",true,null],"b":{"c":{}}, "d":1e10})";
  ASSERT_FALSE(find_json_fault(text, 64).has_value());
  for (size_t i = 0; i < text.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = text;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      bool accepted = true, duplicate = false;
      try {
        parse(flipped);
      } catch (const Error& error) {
        accepted = false;
        duplicate = error.message().starts_with("duplicate");
      }
      EXPECT_EQ(accepted || duplicate, !find_json_fault(flipped, 64).has_value()) << flipped;
    }
  }
}

}  // namespace
}  // namespace braid
