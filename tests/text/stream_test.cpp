// Streaming: what may be shown after each token.

#include "text/stream.h"

#include <gtest/gtest.h>

#include "support/kit.h"
#include "text/small_tokenizer.h"
#include "text/unicode/utf8.h"

namespace braid {
namespace {

/// Tokens 0 to 255 are the bytes; 256 is a special token.
Tokenizer bytes(const std::string& decoder = R"({"type":"ByteFallback"})") {
  std::string vocabulary;
  for (int byte = 0; byte < 256; ++byte) {
    constexpr char kHex[] = "0123456789ABCDEF";
    vocabulary +=
        (byte > 0 ? ",\"<0x" : "\"<0x") + std::string{kHex[byte >> 4], kHex[byte & 15]} + ">\":" + std::to_string(byte);
  }
  return test::tokenizer_of(
      R"({"type":"BPE","byte_fallback":true,"merges":[],"vocab":{)" + vocabulary + "}}",
      "\"decoder\":" + decoder + R"(,"added_tokens":[{"id":256,"content":"<s>","special":true}],)");
}

std::vector<std::string> deltas(StreamDecoder& stream, std::string_view text) {
  std::vector<std::string> shown;
  for (const char byte : text) shown.push_back(stream.push(static_cast<uint8_t>(byte)));
  return shown;
}

TEST(StreamDecoder, HoldsACharacterBackUntilItsLastByte) {
  const Tokenizer tokenizer = bytes();
  StreamDecoder stream(tokenizer);
  EXPECT_EQ(deltas(stream, "aé🦙b"), (std::vector<std::string>{"a", "", "é", "", "", "", "🦙", "b"}));
  EXPECT_EQ(stream.flush(), "");
}

TEST(StreamDecoder, ReleasesACutCharacterAtTheEndOnly) {
  const Tokenizer tokenizer = bytes();
  StreamDecoder stream(tokenizer);
  EXPECT_EQ(deltas(stream, "a\xF0\x9F"), (std::vector<std::string>{"a", "", ""}));
  const std::string rest = stream.flush();
  EXPECT_FALSE(rest.empty());
  EXPECT_EQ(utf8::lossy(rest), rest) << "valid all the same";
  EXPECT_NE(rest.find(utf8::kReplacement), std::string::npos);
}

TEST(StreamDecoder, GoesOnAfterBytesThatTakeBackWhatWasShown) {
  // The whole run of byte tokens is no UTF-8, so its decode no longer starts with the a that was shown.
  const Tokenizer tokenizer = bytes();
  StreamDecoder stream(tokenizer);
  deltas(stream, "a\xF0\x9F");
  std::string shown = stream.push(256);
  shown += stream.push('b');
  EXPECT_NE(shown.find("<s>"), std::string::npos) << shown;
  EXPECT_TRUE(shown.ends_with("b")) << shown;
}

TEST(StreamDecoder, StartsAnewAfterItsEnd) {
  const Tokenizer tokenizer = bytes();
  StreamDecoder stream(tokenizer);
  deltas(stream, "x\xC3");
  stream.flush();
  EXPECT_EQ(deltas(stream, "é"), (std::vector<std::string>{"", "é"}));
}

TEST(StreamDecoder, KeepsTheSpaceBetweenWordsThatADecoderStripsAtTheStart) {
  const Tokenizer tokenizer =
      test::tokenizer_of(R"({"type":"WordLevel","vocab":{"▁a":0,"▁b":1,"?":2},"unk_token":"?"})",
                         R"("decoder":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"},)");
  StreamDecoder stream(tokenizer);
  EXPECT_EQ(stream.push(0), "a");
  EXPECT_EQ(stream.push(1), " b");
  EXPECT_EQ(stream.push(1), " b");
}

TEST(StreamDecoder, LeavesSpecialTokensOutOnRequest) {
  const Tokenizer tokenizer = bytes();
  StreamDecoder with(tokenizer), without(tokenizer, true);
  EXPECT_EQ(with.push(256), "<s>");
  EXPECT_EQ(without.push(256), "");
  EXPECT_EQ(without.push('a'), "a");
}

TEST(StreamDecoder, ShowsBrokenBytesInTheEndInsteadOfCollectingThemForever) {
  const Tokenizer tokenizer = bytes();
  StreamDecoder stream(tokenizer);
  std::string shown;
  for (int i = 0; i < 10'000; ++i) shown += stream.push(0xFF);
  EXPECT_GE(utf8::count(shown), 9'000u);
}

TEST(StreamDecoder, JoinsToTheWholeDecodeOnANovel) {
  const auto folder = test::kit_path("models/books-4m");
  const auto novel = test::kit_path("data/eval/hound-of-the-baskervilles.txt");
  if (!folder || !novel)
    GTEST_SKIP() << test::kit_missing("models/books-4m and data/eval/hound-of-the-baskervilles.txt");
  const Tokenizer tokenizer = Tokenizer::load(folder->string());
  const std::string text = test::read_file(*novel).substr(0, 30'000);
  StreamDecoder stream(tokenizer);
  std::string shown;
  for (const int32_t id : tokenizer.encode(text, {.add_special = false}).ids) {
    const std::string delta = stream.push(id);
    ASSERT_EQ(utf8::first_invalid(delta), std::nullopt);
    shown += delta;
  }
  EXPECT_EQ(shown + stream.flush(), text.substr(0, text.size()));
}

}  // namespace
}  // namespace braid
