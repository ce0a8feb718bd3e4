#include "files/gguf.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "support/gguf_builder.h"
#include "support/kit.h"

namespace braid {
namespace {

using namespace test;

constexpr uint32_t kTypeF32 = 0, kTypeQ8 = 8, kTypeQ8_1 = 9;

GgufHeader parse(const std::string& file, const Limits& limits = {}) {
  return GgufHeader::parse(std::as_bytes(std::span(file)), "m.gguf", nullptr, limits);
}

struct BadFile {
  const char* description;
  std::string file;
  std::string what;   // part of the message
  std::string field;  // exactly
  uint64_t offset;    // exactly
};

void expect_refused(const BadFile& bad) {
  SCOPED_TRACE(bad.description);
  try {
    parse(bad.file);
  } catch (const Error& error) {
    EXPECT_EQ(error.place().file, "m.gguf");
    EXPECT_NE(error.message().find(bad.what), std::string::npos) << error.line();
    EXPECT_EQ(error.place().field, bad.field) << error.line();
    ASSERT_TRUE(error.place().offset.has_value()) << error.line();
    EXPECT_EQ(*error.place().offset, bad.offset) << error.line();
    return;
  }
  ADD_FAILURE() << "accepted";
}

/// The preamble's 24 bytes with any counts.
std::string preamble(uint32_t version, uint64_t tensors, uint64_t values) {
  return "GGUF" + le(version) + le(tensors) + le(values);
}
constexpr uint64_t kPreamble = 24;

/// One value behind the preamble, as a whole file.
std::string with_value(const std::string& value) { return GgufFile{.values = {value}}.bytes(); }
std::string with_tensor(const std::string& tensor, size_t data = 0) {
  return GgufFile{.tensors = {tensor}, .data = std::string(data, '\0')}.bytes();
}
/// Where the parts of the first tensor's description lie, for a name of one letter.
constexpr uint64_t kRankAt = kPreamble + 8 + 1, kSizesAt = kRankAt + 4;

TEST(Gguf, ReadsMetadataOfEveryTypeAndTensorsInRowMajorOrder) {
  GgufFile file{.values = {gguf_raw("a", kU8, le<uint8_t>(200)), gguf_raw("b", kI8, le<int8_t>(-3)),
                           gguf_raw("c", kU16, le<uint16_t>(60'000)), gguf_raw("d", kI16, le<int16_t>(-300)),
                           gguf_u32("e", 4'000'000'000u), gguf_raw("f", kI32, le<int32_t>(-7)), gguf_f32("g", 0.5f),
                           gguf_flag("h", true), gguf_string("i", "text"),
                           gguf_raw("j", kU64, le<uint64_t>(1ull << 40)), gguf_raw("k", kI64, le<int64_t>(-1)),
                           gguf_raw("l", kF64, le(0.25)), gguf_strings("m", {"x", "", "yz"}),
                           gguf_numbers<float>("n", kF32, {1.0f, 2.0f}), gguf_numbers<int32_t>("o", kI32, {3, -4})},
                .tensors = {gguf_tensor("w", {3, 2}, kTypeF32, 0), gguf_tensor("q", {32, 4}, kTypeQ8, 32)},
                .data = std::string(32 + 4 * 34, '\7')};
  const std::string bytes = file.bytes();
  const GgufHeader header = parse(bytes);
  const GgufMetadata& m = header.metadata;
  EXPECT_EQ(m.integer("a"), 200);
  EXPECT_EQ(m.integer("b"), -3);
  EXPECT_EQ(m.integer("c"), 60'000);
  EXPECT_EQ(m.integer("d"), -300);
  EXPECT_EQ(m.integer("e"), 4'000'000'000);
  EXPECT_EQ(m.integer("f"), -7);
  EXPECT_EQ(m.real("g"), 0.5);
  EXPECT_EQ(m.flag("h"), true);
  EXPECT_EQ(m.text("i"), "text");
  EXPECT_EQ(m.integer("j"), 1ll << 40);
  EXPECT_EQ(m.integer("k"), -1);
  EXPECT_EQ(m.real("l"), 0.25);
  EXPECT_EQ(m.strings("m").size(), 3u);
  EXPECT_EQ(m.strings("m")[2], "yz");
  EXPECT_EQ(m.floats("n"), (std::vector<float>{1, 2}));
  EXPECT_EQ(m.integers("o"), (std::vector<int64_t>{3, -4}));
  EXPECT_EQ(m.integer("absent"), std::nullopt);
  ASSERT_EQ(header.entries.size(), 2u);
  EXPECT_EQ(header.entries[0].shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(header.entries[0].bytes, 24u);
  EXPECT_EQ(header.entries[1].shape, (std::vector<int64_t>{4, 32}));
  EXPECT_EQ(header.entries[1].format, Format::q8_0);
  EXPECT_EQ(header.entries[1].offset, header.entries[0].offset + 32);
  EXPECT_EQ(header.entries[1].offset + header.entries[1].bytes, bytes.size());
}

TEST(Gguf, ValuesOfAnotherTypeThanAskedForAreErrorsNeverCasts) {
  const std::string bytes =
      GgufFile{.values = {gguf_f32("real", 1), gguf_u32("count", 2), gguf_numbers<uint8_t>("scores", kU8, {1, 2}),
                          gguf_raw("huge", kU64, le<uint64_t>(UINT64_MAX))}}
          .bytes();
  const GgufMetadata m = parse(bytes).metadata;
  const auto refused = [&](auto ask, const char* key, const char* type) {
    try {
      ask();
      ADD_FAILURE() << key << " was cast";
    } catch (const Error& error) {
      EXPECT_EQ(error.place().field, key);
      EXPECT_EQ(error.place().offset, m.find(key)->offset);
      EXPECT_NE(error.message().find(type), std::string::npos) << error.line();
    }
  };
  refused([&] { (void)m.integer("real"); }, "real", "FLOAT32");
  refused([&] { (void)m.real("count"); }, "count", "UINT32");
  refused([&] { (void)m.text("count"); }, "count", "UINT32");
  refused([&] { (void)m.flag("count"); }, "count", "UINT32");
  refused([&] { (void)m.strings("count"); }, "count", "UINT32");
  refused([&] { (void)m.floats("scores"); }, "scores", "UINT8");  // case 19
  refused([&] { (void)m.integer("huge"); }, "huge", "UINT64");
  EXPECT_THROW((void)m.need_text("absent"), Error);
}

TEST(Gguf, Case13ForeignMagicsAndVersionsAreRefused) {
  expect_refused({"no magic", "GGML" + std::string(20, '\0'), "does not begin with GGUF", "magic", 0});
  expect_refused({"three bytes", "GGU", "truncated", "magic", 0});
  for (const uint32_t version : {0u, 1u, 4u})
    expect_refused({"version", preamble(version, 0, 0), "version " + std::to_string(version), "version", 4});
  expect_refused({"byte-swapped", preamble(0x03000000, 0, 0), "big-endian", "version", 4});
}

TEST(Gguf, Case14CountsThatCannotBeAreRefusedBeforeAnythingIsAllocated) {
  for (const uint64_t count : {uint64_t{UINT64_MAX}, uint64_t{1} << 61, uint64_t{1000}}) {
    expect_refused({"tensors", preamble(3, count, 0), "does not fit", "tensor count", 8});
    expect_refused({"values", preamble(3, 0, count), "does not fit", "metadata count", 16});
  }
}

TEST(Gguf, Case15StringsLongerThanTheFileAndLongKeysAreRefused) {
  expect_refused({"key of 2^64 - 1", preamble(3, 0, 1) + le(UINT64_MAX) + "x" + std::string(20, 'x'), "above the limit",
                  "metadata 0", kPreamble});
  expect_refused({"key of 65,536", with_value(gguf_string(std::string(65'536, 'k'), "")), "above the limit of 65535",
                  "metadata 0", kPreamble});
  expect_refused({"value of 2^64 - 1", with_value(gguf_raw("key", kString, le(UINT64_MAX))), "truncated", "key",
                  kPreamble + 8 + 3 + 4});
  expect_refused({"an empty key", with_value(gguf_u32("", 1)), "empty", "metadata 0", kPreamble});
  expect_refused({"a key with a control character", with_value(gguf_u32("a\nb", 1)), "ASCII", "metadata 0", kPreamble});
}

TEST(Gguf, Case16DuplicateKeysAndTensorsAreRefused) {
  const std::string value = gguf_u32("key", 1);
  expect_refused({"keys", GgufFile{.values = {value, value}}.bytes(), "twice", "key", kPreamble + value.size()});
  const std::string tensor = gguf_tensor("t", {8}, kTypeF32, 0);
  expect_refused(
      {"tensors",
       GgufFile{.tensors = {tensor, gguf_tensor("t", {8}, kTypeF32, 32)}, .data = std::string(64, '\0')}.bytes(),
       "twice", "t", kPreamble + tensor.size()});
}

TEST(Gguf, Case17AlignmentsAreUnsignedPowersOfTwoFromEight) {
  const std::string key = "general.alignment";
  const uint64_t at = kPreamble + 8 + key.size() + 4;
  for (const uint32_t alignment : {0u, 1u, 4u, 13u, 24u, 1u << 31})
    expect_refused(
        {"alignment", with_value(gguf_u32(key, alignment)), "alignment " + std::to_string(alignment), key, at});
  expect_refused({"INT32", with_value(gguf_raw(key, kI32, le<int32_t>(32))), "expected UINT32", key, at});
  const GgufFile eight{.values = {gguf_u32(key, 8)},
                       .tensors = {gguf_tensor("a", {1}, kTypeF32, 0), gguf_tensor("b", {1}, kTypeF32, 8)},
                       .data = std::string(12, '\0'),
                       .alignment = 8};
  EXPECT_EQ(parse(eight.bytes()).entries.size(), 2u);
}

TEST(Gguf, Case18DeepArraysAndUnknownElementTypesAreRefused) {
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += le<uint32_t>(kArray) + le<uint64_t>(1);
  const uint64_t at = kPreamble + 8 + 1 + 4;
  expect_refused({"depth 10,000", with_value(gguf_raw("a", kArray, deep)), "arrays of arrays", "a", at});
  expect_refused(
      {"element type 99", with_value(gguf_raw("a", kArray, le<uint32_t>(99) + le<uint64_t>(0))), "type 99", "a", at});
  expect_refused({"value type 13", with_value(gguf_raw("a", 13, "")), "type 13", "a", at - 4});
  expect_refused({"more elements than bytes", with_value(gguf_raw("a", kArray, le<uint32_t>(kU64) + le(UINT64_MAX))),
                  "does not fit", "a", at + 4});
  expect_refused({"strings past the end", with_value(gguf_raw("a", kArray, le<uint32_t>(kString) + le<uint64_t>(2))),
                  "does not fit", "a", at + 4});
  expect_refused({"a BOOL of 2", with_value(gguf_raw("a", kBool, "\2")), "neither 0 nor 1", "a", at});
}

TEST(Gguf, Case20DimensionsAreOneToFourAndPositive) {
  expect_refused({"zero", with_tensor(gguf_tensor("t", {0}, kTypeF32, 0)), "is 0", "t", kSizesAt});
  expect_refused(
      {"negative", with_tensor(gguf_tensor("t", {4, UINT64_MAX}, kTypeF32, 0)), "negative", "t", kSizesAt + 8});
  expect_refused({"five", with_tensor(gguf_tensor("t", {1, 1, 1, 1, 1}, kTypeF32, 0)), "5 dimensions", "t", kRankAt});
}

TEST(Gguf, Case21SizesThatOverflowAndBrokenBlocksAreRefused) {
  const uint64_t big = 1ull << 40;
  expect_refused({"overflow", with_tensor(gguf_tensor("t", {big, big}, kTypeF32, 0)), "overflows", "t", kSizesAt});
  expect_refused(
      {"wraps to 0", with_tensor(gguf_tensor("t", {1ull << 62, 4}, kTypeF32, 0)), "overflows", "t", kSizesAt});
  expect_refused({"row of 33", with_tensor(gguf_tensor("t", {33}, kTypeQ8, 0)), "no whole number of blocks of Q8_0",
                  "t", kSizesAt});
}

TEST(Gguf, Case22TensorsFollowEachOtherInsideTheFile) {
  const std::string first = gguf_tensor("a", {8}, kTypeF32, 0);
  const auto second = [&](uint64_t offset, size_t data) {
    return GgufFile{.tensors = {first, gguf_tensor("b", {8}, kTypeF32, offset)}, .data = std::string(data, '\0')}
        .bytes();
  };
  const uint64_t offset_at = kPreamble + 2 * first.size() - 8;
  expect_refused({"misaligned", second(33, 128), "multiple of the alignment", "b", offset_at});
  expect_refused({"overlapping", second(0, 128), "overlap", "b", offset_at});
  expect_refused({"a gap", second(64, 128), "belong to no tensor", "b", offset_at});
  expect_refused({"beyond the end", second(32, 63), "truncated", "b", offset_at});
  expect_refused(
      {"far beyond", with_tensor(gguf_tensor("t", {1ull << 40}, kTypeF32, 0), 32), "truncated", "t", kSizesAt + 8 + 4});
  const std::string whole = second(32, 64);
  EXPECT_EQ(parse(whole).entries.size(), 2u);
  expect_refused({"bytes behind", whole + std::string(40, 'P'), "follow the last tensor", "b", whole.size()});
}

TEST(Gguf, Case23RemovedAndUnknownTypesAreRefusedByName) {
  const uint64_t type_at = kSizesAt + 8;
  for (const auto& [id, name] :
       {std::pair<uint32_t, const char*>{4, "Q4_2"}, {5, "Q4_3"}, {31, "Q4_0_4_4"}, {36, "IQ4_NL_4_4"}})
    expect_refused(
        {"removed", with_tensor(gguf_tensor("t", {256}, id, 0)), std::string(name) + " was removed", "t", type_at});
  expect_refused({"unknown", with_tensor(gguf_tensor("t", {256}, 99, 0)), "unknown tensor type 99", "t", type_at});
}

TEST(Gguf, FormatsOfNoFileAreNamedWhenWeightsAreWanted) {
  const TempDirectory folder;
  const std::string path =
      folder.write("m.gguf", with_tensor(gguf_tensor("blk.0.ffn_up.weight", {32}, kTypeQ8_1, 0), 36)).string();
  EXPECT_NO_THROW(GgufModel::open(path, false)) << "its vocabulary can be read";
  try {
    GgufModel::open(path);
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.place().field, "blk.0.ffn_up.weight");
    EXPECT_NE(error.message().find("Q8_1"), std::string::npos) << error.line();
  }
}

// ---- parts

std::string part(uint16_t number, uint16_t count, const std::string& tensor, int32_t total = 2) {
  return GgufFile{.values = {gguf_raw("split.no", kU16, le(number)), gguf_raw("split.count", kU16, le(count)),
                             gguf_raw("split.tensors.count", kI32, le(total))},
                  .tensors = {gguf_tensor(tensor, {8}, kTypeF32, 0)},
                  .data = std::string(32, static_cast<char>('a' + number))}
      .bytes();
}

class GgufParts : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& bytes) { return folder_.write(name, bytes).string(); }
  std::string refused(const std::string& path) {
    try {
      GgufModel::open(path);
    } catch (const Error& error) {
      return error.line();
    }
    return "accepted";
  }
  TempDirectory folder_;
};

TEST_F(GgufParts, OfOneModelAreOpenedTogetherWhicheverIsNamed) {
  const std::string first = write("m-00001-of-00002.gguf", part(0, 2, "a")),
                    second = write("m-00002-of-00002.gguf", part(1, 2, "b"));
  for (const std::string& path : {first, second}) {
    const GgufModel model = GgufModel::open(path);
    ASSERT_EQ(model.files().size(), 2u);
    EXPECT_NE(model.files()[0].find("a"), nullptr);
    EXPECT_NE(model.files()[1].find("b"), nullptr);
    EXPECT_EQ(model.metadata().integer("split.no"), 0);
  }
}

TEST_F(GgufParts, Case25ThatAreMissingOrOfDifferentModelsAreRefused) {
  const std::string first = write("m-00001-of-00002.gguf", part(0, 2, "a"));
  EXPECT_NE(refused(first).find("missing (" + (folder_ / "m-00002-of-00002.gguf").string()), std::string::npos)
      << refused(first);
  write("m-00002-of-00002.gguf", part(1, 3, "b"));
  EXPECT_NE(refused(first).find("different models"), std::string::npos) << refused(first);
  write("m-00002-of-00002.gguf", part(0, 2, "b"));
  EXPECT_NE(refused(first).find("renamed"), std::string::npos) << refused(first);
  write("m-00002-of-00002.gguf", part(1, 2, "a"));
  EXPECT_NE(refused(first).find("in two parts"), std::string::npos) << refused(first);
  write("m-00002-of-00002.gguf", part(1, 2, "b", 2));
  write("m-00001-of-00002.gguf", part(0, 2, "a", 9));
  EXPECT_NE(refused(first).find("hold 2 tensors, not 9"), std::string::npos) << refused(first);
  EXPECT_NE(refused(write("other.gguf", part(0, 2, "a"))).find("-00001-of-00002.gguf"), std::string::npos);
  EXPECT_NE(refused(write("other.gguf", part(7, 2, "a"))).find("out of range"), std::string::npos);
}

// ---- sweeps

std::string small_file() {
  return GgufFile{.values = {gguf_string("general.architecture", "llama"), gguf_u32("general.alignment", 32),
                             gguf_strings("tokenizer.ggml.tokens", {"<s>", "a"}),
                             gguf_numbers<float>("tokenizer.ggml.scores", kF32, {0, -1}),
                             gguf_flag("tokenizer.ggml.add_bos_token", true)},
                  .tensors = {gguf_tensor("token_embd.weight", {32, 2}, kTypeQ8, 0),
                              gguf_tensor("output_norm.weight", {32}, kTypeF32, 96)},
                  .data = std::string(96 + 128, '\1')}
      .bytes();
}

TEST(GgufSweep, EveryPrefixIsRefused) {
  const std::string whole = small_file();
  EXPECT_EQ(parse(whole).entries.size(), 2u);
  for (size_t size = 0; size < whole.size(); ++size) EXPECT_THROW(parse(whole.substr(0, size)), Error) << size;
}

TEST(GgufSweep, EveryFlippedByteIsRefusedOrLeavesTensorsInsideTheFile) {
  const std::string whole = small_file();
  size_t refused = 0;
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string bad = whole;
      bad[at] = static_cast<char>(bad[at] ^ flip);
      try {
        const GgufHeader header = parse(bad);
        for (const TensorEntry& entry : header.entries) ASSERT_LE(entry.offset + entry.bytes, bad.size()) << at;
      } catch (const Error& error) {
        ++refused;
        ASSERT_LE(error.place().offset.value_or(0), bad.size()) << error.line();
      }
    }
  }
  EXPECT_GT(refused, 300u) << "most of a header matters";
}

}  // namespace
}  // namespace braid
