// Every tokenizer of the kit against the recorded answers of the reference library.

#include <gtest/gtest.h>

#include "core/json.h"
#include "support/kit.h"
#include "text/stream.h"
#include "text/tokenizer.h"

namespace braid {
namespace {

using Offsets = std::vector<std::pair<int64_t, int64_t>>;

std::vector<int32_t> ids_of(const Json& list) {
  std::vector<int32_t> ids;
  for (size_t i = 0; i < list.size(); ++i) ids.push_back(static_cast<int32_t>(list[i].as_int()));
  return ids;
}

Offsets offsets_of(const Json& list) {
  Offsets offsets;
  for (size_t i = 0; i < list.size(); ++i) offsets.emplace_back(list[i][0].as_int(), list[i][1].as_int());
  return offsets;
}

class RecordedTokenizer : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const std::string folder = "data/tokenizers/" + GetParam();
    const auto path = test::kit_path(folder);
    if (!path) GTEST_SKIP() << test::kit_missing(folder);
    tokenizer_.emplace(Tokenizer::load(path->string()));
    document_.emplace(JsonDocument::read((*path / "cases.json").string()));
  }
  Json cases(const char* key) const { return document_->root().at(key); }

  std::optional<Tokenizer> tokenizer_;
  std::optional<JsonDocument> document_;
};

TEST_P(RecordedTokenizer, EncodesAsRecorded) {
  const Json list = cases("cases");
  ASSERT_GT(list.size(), 0u);
  for (size_t i = 0; i < list.size(); ++i) {
    const Json c = list[i];
    EncodeOptions options{.add_special = c.at("add_special").as_bool()};
    if (const auto pair = c.find("pair")) options.pair = pair->as_string();
    const Encoding encoding = tokenizer_->encode(c.at("text").as_string(), options);
    EXPECT_EQ(encoding.ids, ids_of(c.at("ids"))) << "case " << i << ": " << c.at("text").as_string();
    EXPECT_EQ(encoding.offsets, offsets_of(c.at("offsets"))) << "case " << i << ": " << c.at("text").as_string();
    if (const auto types = c.find("type_ids")) {
      EXPECT_EQ(encoding.type_ids, ids_of(*types)) << "case " << i;
    }
  }
}

TEST_P(RecordedTokenizer, DecodesAsRecorded) {
  for (const char* key : {"cases", "decode_cases"}) {
    const Json list = cases(key);
    for (size_t i = 0; i < list.size(); ++i) {
      const Json c = list[i];
      const std::vector<int32_t> ids = ids_of(c.at("ids"));
      EXPECT_EQ(tokenizer_->decode(ids, false), c.at("decoded").as_string()) << key << " " << i;
      EXPECT_EQ(tokenizer_->decode(ids, true), c.at("decoded_skip").as_string()) << key << " " << i;
    }
  }
}

TEST_P(RecordedTokenizer, StreamsAsRecordedAndNoBrokenCharacter) {
  const auto list = document_->root().find("stream_cases");  // three of them have some
  for (size_t i = 0; list && i < list->size(); ++i) {
    const Json c = (*list)[i];
    const std::vector<int32_t> ids = ids_of(c.at("ids"));
    const std::string full(c.at("full").as_string());
    const bool strict = c.at("strict").as_bool();
    StreamDecoder stream(*tokenizer_);
    std::string shown, recorded;
    for (size_t k = 0; k < ids.size(); ++k) {
      shown += stream.push(ids[k]);
      recorded += c.at("deltas")[k].as_string();
      if (!strict) continue;
      EXPECT_EQ(shown.find("\uFFFD"), std::string::npos) << "case " << i << " token " << k;
      EXPECT_GE(shown.size(), recorded.size()) << "case " << i << " token " << k << " shows less than it may";
      EXPECT_TRUE(full.starts_with(shown)) << "case " << i << " token " << k;
    }
    shown += stream.flush();
    if (!c.at("flush").is_null()) {
      EXPECT_EQ(shown, full) << "case " << i;
    }
  }
}

TEST_P(RecordedTokenizer, StreamsEveryTextToItsWholeDecode) {
  const Json list = cases("cases");
  size_t streamed = 0;
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string_view decoded = list[i].at("decoded").as_string();
    if (decoded.find("\uFFFD") != std::string_view::npos)
      continue;  // a run of bytes that is no text may take characters back
    StreamDecoder stream(*tokenizer_);
    std::string shown;
    for (const int32_t id : ids_of(list[i].at("ids"))) {
      shown += stream.push(id);
      ASSERT_TRUE(decoded.starts_with(shown)) << "case " << i << ": " << shown;
    }
    EXPECT_EQ(shown + stream.flush(), decoded) << "case " << i;
    ++streamed;
  }
  EXPECT_GT(streamed, list.size() / 2);
}

std::vector<std::string> recorded_tokenizers() {
  std::vector<std::string> names;
  for (const std::string& name : test::kit_names("data/tokenizers")) {
    if (test::kit_path("data/tokenizers/" + name + "/cases.json")) names.push_back(name);
  }
  return names;
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Kit, RecordedTokenizer, testing::ValuesIn(recorded_tokenizers()), test_name);

}  // namespace
}  // namespace braid
