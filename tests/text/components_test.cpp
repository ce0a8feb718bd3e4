// Every component of the tokenizer.json format, with each of its options, against what the library tokenizers recorded
// (tests/kit/data/components/make.py).

#include <gtest/gtest.h>

#include <set>

#include "core/json.h"
#include "support/kit.h"
#include "text/tokenizer.h"

namespace braid {
namespace {

template <class T, class Read>
std::vector<T> list_of(const Json& list, Read read) {
  std::vector<T> items;
  for (size_t i = 0; i < list.size(); ++i) items.push_back(read(list[i]));
  return items;
}
std::vector<int32_t> ids_of(const Json& list) {
  return list_of<int32_t>(list, [](const Json& id) { return static_cast<int32_t>(id.as_int()); });
}
std::vector<std::pair<int64_t, int64_t>> offsets_of(const Json& list) {
  return list_of<std::pair<int64_t, int64_t>>(
      list, [](const Json& span) { return std::pair(span[0].as_int(), span[1].as_int()); });
}

/// A value as JSON again.
void write(JsonWriter& out, const Json& value) {
  switch (value.kind()) {
    case Json::Kind::object:
      out.begin_object();
      for (size_t i = 0; i < value.size(); ++i) out.key(value.key(i)), write(out, value.value(i));
      out.end_object();
      return;
    case Json::Kind::array:
      out.begin_array();
      for (size_t i = 0; i < value.size(); ++i) write(out, value[i]);
      out.end_array();
      return;
    case Json::Kind::null:
      out.null();
      return;
    case Json::Kind::boolean:
      out.value(value.as_bool());
      return;
    case Json::Kind::integer:
      out.value(value.as_int());
      return;
    case Json::Kind::real:
      out.value(value.as_double());
      return;
    case Json::Kind::string:
      out.value(value.as_string());
      return;
  }
}
std::string text_of(const Json& value) {
  JsonWriter out;
  write(out, value);
  return out.text();
}

/// The kinds named in a tokenizer: "normalizer NFC".
void collect(const Json& value, const std::string& section, std::set<std::string>& kinds) {
  if (value.is_object())
    if (const auto type = value.find("type")) kinds.insert(section + " " + std::string(type->as_string()));
  if (!value.is_object() && !value.is_array()) return;
  for (size_t i = 0; i < value.size(); ++i) collect(value[i], section, kinds);
}

TEST(Components, DoAsRecorded) {
  const auto path = test::kit_path("data/components/cases.json");
  ASSERT_TRUE(path);
  const JsonDocument document = JsonDocument::read(path->string());
  const Json all = document.root();
  for (size_t i = 0; i < all.size(); ++i) {
    const std::string json = text_of(all[i].at("tokenizer"));
    const Tokenizer tokenizer = Tokenizer::parse(json, "tokenizer.json");
    const Json cases = all[i].at("cases");
    for (size_t k = 0; k < cases.size(); ++k) {
      const Json c = cases[k];
      SCOPED_TRACE(json.substr(0, 300) + "\n" + text_of(c));
      if (const auto decoded = c.find("decoded")) {
        EXPECT_EQ(tokenizer.decode(ids_of(c.at("ids"))), decoded->as_string());
        continue;
      }
      EncodeOptions options;
      if (const auto pair = c.find("pair")) options.pair = pair->as_string();
      const Encoding encoding = tokenizer.encode(c.at("text").as_string(), options);
      EXPECT_EQ(encoding.ids, ids_of(c.at("ids")));
      EXPECT_EQ(encoding.offsets, offsets_of(c.at("offsets")));
      if (const auto types = c.find("type_ids")) {
        EXPECT_EQ(encoding.type_ids, ids_of(*types));
      }
    }
  }
}

/// What the format defines (version 0.23 of the library), but for Precompiled, whose maps the Unigram tokenizers of the
/// kit have.
TEST(Components, AreAllRecorded) {
  const std::set<std::string> defined = {"normalizer BertNormalizer",
                                         "normalizer ByteLevel",
                                         "normalizer Lowercase",
                                         "normalizer NFC",
                                         "normalizer NFD",
                                         "normalizer NFKC",
                                         "normalizer NFKD",
                                         "normalizer Nmt",
                                         "normalizer Prepend",
                                         "normalizer Replace",
                                         "normalizer Sequence",
                                         "normalizer Strip",
                                         "normalizer StripAccents",
                                         "pre_tokenizer BertPreTokenizer",
                                         "pre_tokenizer ByteLevel",
                                         "pre_tokenizer CharDelimiterSplit",
                                         "pre_tokenizer Digits",
                                         "pre_tokenizer FixedLength",
                                         "pre_tokenizer Metaspace",
                                         "pre_tokenizer Punctuation",
                                         "pre_tokenizer Sequence",
                                         "pre_tokenizer Split",
                                         "pre_tokenizer UnicodeScripts",
                                         "pre_tokenizer Whitespace",
                                         "pre_tokenizer WhitespaceSplit",
                                         "model BPE",
                                         "model Unigram",
                                         "model WordLevel",
                                         "model WordPiece",
                                         "post_processor BertProcessing",
                                         "post_processor ByteLevel",
                                         "post_processor RobertaProcessing",
                                         "post_processor Sequence",
                                         "post_processor TemplateProcessing",
                                         "decoder BPEDecoder",
                                         "decoder ByteFallback",
                                         "decoder ByteLevel",
                                         "decoder CTC",
                                         "decoder Fuse",
                                         "decoder Metaspace",
                                         "decoder Replace",
                                         "decoder Sequence",
                                         "decoder Strip",
                                         "decoder WordPiece"};
  const auto path = test::kit_path("data/components/cases.json");
  ASSERT_TRUE(path);
  const JsonDocument document = JsonDocument::read(path->string());
  std::set<std::string> recorded;
  for (size_t i = 0; i < document.root().size(); ++i) {
    const Json tokenizer = document.root()[i].at("tokenizer");
    for (size_t k = 0; k < tokenizer.size(); ++k) collect(tokenizer.value(k), std::string(tokenizer.key(k)), recorded);
  }
  EXPECT_EQ(recorded, defined);
}

}  // namespace
}  // namespace braid
