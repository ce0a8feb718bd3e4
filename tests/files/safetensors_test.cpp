#include "files/safetensors.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "core/error.h"
#include "files/safetensors_builder.h"
#include "support/kit.h"

namespace braid {
namespace {

using test::length_bytes;
using test::raw_safetensors;
using test::tensor_json;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }
SafetensorsHeader parse(const std::string& file) { return SafetensorsHeader::parse(bytes_of(file), "m.safetensors"); }

Error failure(const std::string& file, const Limits& limits = {}) {
  try {
    SafetensorsHeader::parse(bytes_of(file), "m.safetensors", limits);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "accepted: " << file.substr(0, 120);
  return Error("");
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
  const Error error = failure(bad.file);
  EXPECT_EQ(error.place().file, "m.safetensors");
  EXPECT_NE(error.message().find(bad.what), std::string::npos) << error.line();
  EXPECT_EQ(error.place().field, bad.field) << error.line();
  ASSERT_TRUE(error.place().offset.has_value()) << error.line();
  EXPECT_EQ(*error.place().offset, bad.offset) << error.line();
}

const std::string kOne = tensor_json("a", "F32", "[2]", 0, 8);

TEST(Safetensors, Case01FilesOfFewerThanEightBytesAreRefused) {
  for (uint64_t n = 0; n < 8; ++n)
    expect_refused({"short", std::string(n, '\1'), "fewer than the 8", "header length", n});
}

TEST(Safetensors, Case02HeaderLengthsThatCannotBeAreRefused) {
  for (const BadFile& bad : {
           BadFile{"longer than the file", length_bytes(11) + "{}        ", "truncated", "header length", 0},
           BadFile{"eight bytes only", length_bytes(2), "truncated", "header length", 0},
           BadFile{"above 100 MB", length_bytes(100'000'001) + "{}", "above the limit", "header length", 0},
           BadFile{"2^63", length_bytes(1ull << 63) + "{}", "above the limit", "header length", 0},
           BadFile{"2^64 - 1", length_bytes(UINT64_MAX) + "{}", "above the limit", "header length", 0},
           BadFile{"zero", length_bytes(0), "does not begin with '{'", "header", 8},
       })
    expect_refused(bad);
  Limits limits;
  limits.max_header_bytes = 1;
  EXPECT_NE(failure(raw_safetensors("{}", 0), limits).message().find("above the limit of 1"), std::string::npos);
}

TEST(Safetensors, Case03InvalidUtf8AndOtherFirstBytesAreRefused) {
  for (const BadFile& bad : {
           BadFile{"space first", raw_safetensors(" {}", 0), "does not begin with '{'", "header", 8},
           BadFile{"array", raw_safetensors("[]", 0), "does not begin with '{'", "header", 8},
           BadFile{"BOM", raw_safetensors("\xef\xbb\xbf{}", 0), "does not begin with '{'", "header", 8},
           BadFile{"UTF-8", raw_safetensors("{\"a\xff\":1}", 0), "UTF-8", "", 11},
           BadFile{"no JSON", raw_safetensors("{\"a\":}", 0), "invalid JSON", "", 13},
           BadFile{"bytes after the object", raw_safetensors("{} x", 0), "after the end", "", 11},
       })
    expect_refused(bad);
}

TEST(Safetensors, Case04DuplicateKeysAreRefusedInEverySpelling) {
  const std::string first = "{" + kOne + ",";
  expect_refused({"plain", raw_safetensors(first + kOne + "}", 8), "duplicate key \"a\"", "a", 8 + first.size()});
  expect_refused(
      {"escaped", raw_safetensors(first + "\"\\u0061\":{}}", 8), "duplicate key \"a\"", "a", 8 + first.size()});
  const std::string inner = "{\"a\":{\"dtype\":\"F32\",";
  expect_refused({"field", raw_safetensors(inner + "\"dtype\":\"F32\"}}", 0), "duplicate key \"dtype\"", "a.dtype",
                  8 + inner.size()});
}

TEST(Safetensors, Case05RangesMustTileTheDataAndBothTensorsAreNamed) {
  const auto two = [](uint64_t begin, uint64_t end, size_t data) {
    return raw_safetensors(
        "{" + kOne + "," + tensor_json("b", "U8", "[" + std::to_string(end - begin) + "]", begin, end) + "}", data);
  };
  const uint64_t data_offset = two(8, 12, 12).size() - 12;
  EXPECT_EQ(parse(two(8, 12, 12)).data_offset, data_offset);
  const uint64_t overlap_offset = two(4, 8, 0).size(), gap_offset = two(9, 12, 0).size();
  for (const BadFile& bad : {
           BadFile{"overlap", two(4, 8, 8), "\"a\" at [0, 8) and \"b\" at [4, 8) overlap", "a, b", overlap_offset + 4},
           BadFile{"the same range", two(0, 8, 8), "\"a\" at [0, 8) and \"b\" at [0, 8) overlap", "a, b",
                   overlap_offset},
           BadFile{"gap", two(9, 12, 12), "[8, 9) between \"a\" and \"b\" belong to no tensor", "a, b", gap_offset + 8},
       })
    expect_refused(bad);
  const std::string late = "{" + tensor_json("a", "U8", "[3]", 1, 4) + "}";
  expect_refused(
      {"gap at the start", raw_safetensors(late, 4), "[0, 1) between the header and \"a\"", "a", 8 + late.size()});
  const std::string reversed = "{" + tensor_json("a", "U8", "[4]", 4, 0) + "}";
  expect_refused(
      {"reversed", raw_safetensors(reversed, 4), "[4, 0) is reversed", "a.data_offsets", 8 + reversed.find("[4,0]")});
}

TEST(Safetensors, Case06ShapesThatOverflowAreRefused) {
  for (const char* shape : {"[4611686018427387904,4]", "[4294967296,4294967296]", "[9223372036854775807,3,0]",
                            "[3037000500,3037000500,2]"}) {
    const std::string header = "{" + tensor_json("a", "F32", shape, 0, 0) + "}";
    expect_refused({shape, raw_safetensors(header, 0), "overflows", "a.shape", 8 + header.find(shape)});
  }
  const std::string wide = "{" + tensor_json("a", "U8", "[9223372036854775808]", 0, 0) + "}";
  expect_refused({"2^63", raw_safetensors(wide, 0), "63 bits", "a.shape[0]", 8 + wide.find("9223")});
  const std::string wider = "{" + tensor_json("a", "U8", "[18446744073709551616]", 0, 0) + "}";
  expect_refused({"2^64", raw_safetensors(wider, 0), "non-negative integer", "a.shape[0]", 8 + wider.find("1844")});
}

TEST(Safetensors, Case07BytesMustMatchShapeTimesDtype) {
  const std::string header = "{" + tensor_json("a", "F32", "[2,3]", 0, 20) + "}";
  expect_refused({"too few", raw_safetensors(header, 20), "needs 24 bytes, the range [0, 20) has 20", "a.data_offsets",
                  8 + header.find("[0,20]")});
}

TEST(Safetensors, Case08BytesAfterTheLastTensorAreRefused) {
  const std::string file = raw_safetensors("{" + kOne + "}", 8);
  expect_refused({"ZIP", file + "PK\x05\x06", "4 bytes follow the last tensor: expected 8 data bytes, the file has 12",
                  "a", file.size()});
  const std::string empty = raw_safetensors("{}", 0);
  expect_refused({"no tensors", empty + "PK", "2 bytes follow", "data_offsets", empty.size()});
}

TEST(Safetensors, Case09AFileTruncatedAtAnyByteIsRefused) {
  const std::string file = raw_safetensors("{" + kOne + "," + tensor_json("b", "U8", "[4]", 8, 12) + "}", 12);
  parse(file);
  for (size_t n = 0; n < file.size(); ++n) EXPECT_TRUE(failure(file.substr(0, n)).place().offset.has_value()) << n;
  expect_refused({"data", file.substr(0, file.size() - 5), "\"a\" at [0, 8) needs 8 data bytes, the file has 7", "a",
                  file.size() - 5});
  expect_refused({"last byte", file.substr(0, file.size() - 1), "\"b\" at [8, 12) needs 12 data bytes, the file has 11",
                  "b", file.size() - 1});
}

TEST(Safetensors, Case10UnknownDtypesOtherMetadataAndDeepNestingAreRefused) {
  const auto header_case = [](const char* description, const std::string& header, const std::string& what,
                              const std::string& field, const std::string& at) {
    expect_refused({description, raw_safetensors(header, 8), what, field, 8 + header.find(at)});
  };
  header_case("dtype", "{" + tensor_json("a", "F31", "[2]", 0, 8) + "}", "unknown dtype \"F31\"", "a.dtype", "\"F31\"");
  header_case("dtype is a number", R"({"a":{"dtype":3,"shape":[2],"data_offsets":[0,8]}})", "expected a string",
              "a.dtype", "3");
  header_case("metadata is a string", "{\"__metadata__\":\"x\"," + kOne + "}", "object of strings", "__metadata__",
              "\"x\"");
  header_case("metadata is null", "{\"__metadata__\":null," + kOne + "}", "object of strings", "__metadata__", "null");
  header_case("metadata of numbers", "{\"__metadata__\":{\"k\":71}," + kOne + "}", "expected a string",
              "__metadata__.k", "71");
  header_case("entry is an array", R"({"a":[]})", "expected an object", "a", "[]");
  header_case("no dtype", R"({"a":{"shape":[2],"data_offsets":[0,8]}})", "\"dtype\" is missing", "a", "{\"shape\"");
  header_case("no shape", R"({"a":{"dtype":"F32","data_offsets":[0,8]}})", "\"shape\" is missing", "a", "{\"dtype\"");
  header_case("no offsets", R"({"a":{"dtype":"F32","shape":[2]}})", "\"data_offsets\" is missing", "a", "{\"dtype\"");
  header_case("shape is a number", R"({"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})", "array of sizes",
              "a.shape", "2,");
  header_case("negative", R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", "negative", "a.shape[0]", "-2");
  header_case("real", R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", "non-negative integer",
              "a.shape[0]", "2.0");
  header_case("three offsets", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}})", "[begin, end]",
              "a.data_offsets", "[0,8,9]");
  header_case("nine dimensions", R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]}})",
              "9 dimensions", "a.shape", "[1,1");

  std::string deep = "{\"a\":";
  for (int i = 0; i < 100'000; ++i) deep += '[';
  expect_refused({"depth 10^5", raw_safetensors(deep, 0), "nested deeper", "", 8 + 5 + 63});
}

TEST(Safetensors, Case12ScalarsAndEmptyTensorsAreAccepted) {
  const std::string header =
      "{" + tensor_json("empty", "F32", "[0]", 0, 0) + "," + tensor_json("scalar", "F32", "[]", 0, 4) + "," +
      tensor_json("inner", "I64", "[3,0,2]", 4, 4) + "," + tensor_json("last", "U8", "[0]", 4, 4) + "}";
  const SafetensorsHeader parsed = parse(raw_safetensors(header, 4));
  ASSERT_EQ(parsed.entries.size(), 4u);
  EXPECT_EQ(parsed.entries[0].shape, std::vector<int64_t>{0});
  EXPECT_EQ(parsed.entries[0].bytes, 0u);
  EXPECT_TRUE(parsed.entries[1].shape.empty());
  EXPECT_EQ(parsed.entries[1].bytes, 4u);
  EXPECT_EQ(parsed.entries[1].offset, 8 + header.size());
  EXPECT_TRUE(parse(raw_safetensors("{}", 0)).entries.empty());
}

TEST(Safetensors, EveryDtypeOfTheFormatsIsRead) {
  const std::pair<const char*, Format> dtypes[] = {
      {"F64", Format::f64}, {"F32", Format::f32},      {"F16", Format::f16},        {"BF16", Format::bf16},
      {"I64", Format::i64}, {"I32", Format::i32},      {"I16", Format::i16},        {"I8", Format::i8},
      {"U8", Format::u8},   {"BOOL", Format::boolean}, {"F8_E4M3", Format::f8e4m3}, {"F8_E5M2", Format::f8e5m2}};
  for (const auto& [name, format] : dtypes) {
    const uint64_t bytes = 6 * info(format).block_bytes;
    const SafetensorsHeader parsed =
        parse(raw_safetensors("{" + tensor_json("t", name, "[2,3]", 0, bytes) + "}", bytes));
    EXPECT_EQ(parsed.entries[0].format, format) << name;
    EXPECT_EQ(safetensors_dtype(format), name);
  }
  EXPECT_FALSE(safetensors_dtype(Format::q8_0).has_value());
}

TEST(Safetensors, HeaderOrderNeedNotBeDataOrder) {
  const std::string header =
      "{" + tensor_json("b", "U8", "[4]", 8, 12) + ",\"__metadata__\":{\"format\":\"pt\"}," + kOne + "}   ";
  const SafetensorsHeader parsed = parse(raw_safetensors(header, 12));
  EXPECT_EQ(parsed.entries[0].name, "b");
  EXPECT_EQ(parsed.entries[0].offset, 8 + header.size() + 8);
  EXPECT_EQ(parsed.metadata.at("format"), "pt");
}

TEST(Safetensors, TensorsViewTheMapWithoutACopy) {
  test::TempDirectory folder;
  const float values[] = {1, 2, 3, 4, 5, 6};
  const int32_t ids[] = {7, 8};
  const NamedTensor tensors[] = {{"ids", Tensor::of({2}, ids)}, {"weights", Tensor::of({2, 3}, values)}};
  write_safetensors(folder / "m.safetensors", tensors, {{"format", "pt"}});
  const SafetensorsFile file = SafetensorsFile::open(folder / "m.safetensors");
  EXPECT_EQ(file.metadata().at("format"), "pt");
  EXPECT_EQ(file.find("absent"), nullptr);
  const Tensor weights = file.tensor(*file.find("weights"));
  EXPECT_EQ(weights.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(std::memcmp(weights.bytes(), values, sizeof values), 0);
  EXPECT_GE(weights.bytes(), file.map()->bytes().data());
  EXPECT_LT(weights.bytes(), file.map()->bytes().data() + file.map()->bytes().size());
  EXPECT_EQ(file.tensor(*file.find("ids")).data<int32_t>()[1], 8);
}

TEST(Safetensors, MisalignedTensorsAreCopied) {
  test::TempDirectory folder;
  for (size_t padding = 0; padding < 4; ++padding) {
    const std::string header = "{" + tensor_json("byte", "U8", "[1]", 0, 1) + "," +
                               tensor_json("f", "F32", "[2]", 1, 9) + "}" + std::string(padding, ' ');
    const std::string path = folder.write("m.safetensors", raw_safetensors(header, 9));
    const SafetensorsFile file = SafetensorsFile::open(path);
    const Tensor tensor = file.tensor(*file.find("f"));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.bytes()) % 4, 0u);
    EXPECT_EQ(std::memcmp(tensor.bytes(), "\1\2\3\4\5\6\7\10", 8), 0);
  }
}

TEST(Safetensors, AFileTruncatedAfterOpeningIsNoticed) {
  test::TempDirectory folder;
  const NamedTensor tensors[] = {{"big", Tensor::make({1 << 20}, Format::f32)}};
  write_safetensors(folder / "m.safetensors", tensors);
  const SafetensorsFile file = SafetensorsFile::open(folder / "m.safetensors");
  ASSERT_EQ(truncate((folder / "m.safetensors").c_str(), 8192), 0);
  const Tensor big = file.tensor(*file.find("big"));
  EXPECT_EQ(big.data<float>()[(1 << 20) - 1], 0);
  EXPECT_THROW(file.map()->check(), Error);
}

TEST(SafetensorsWriter, WritesEveryTensorAligned) {
  test::TempDirectory folder;
  const uint8_t byte = 9;
  Tensor bytes = Tensor::make({1}, Format::u8);
  std::memcpy(bytes.bytes(), &byte, 1);
  const NamedTensor tensors[] = {{"u", bytes},
                                 {"scalar", Tensor::make({}, Format::f64)},
                                 {"none", Tensor::make({0}, Format::f32)},
                                 {"h", Tensor::make({3}, Format::bf16)}};
  write_safetensors(folder / "m.safetensors", tensors);
  const SafetensorsFile file = SafetensorsFile::open(folder / "m.safetensors");
  ASSERT_EQ(file.entries().size(), 4u);
  for (const SafetensorsEntry& entry : file.entries())
    EXPECT_EQ(entry.offset % info(entry.format).block_bytes, 0u) << entry.name;
  EXPECT_EQ(*file.tensor(*file.find("u")).data<uint8_t>(), 9);
}

TEST(SafetensorsWriter, RefusesWhatTheFormatCannotHold) {
  test::TempDirectory folder;
  const Tensor plain = Tensor::make({2}, Format::f32);
  const auto write = [&](std::vector<NamedTensor> tensors) { write_safetensors(folder / "m.safetensors", tensors); };
  EXPECT_THROW(write({{"a", plain}, {"a", plain}}), Error);
  EXPECT_THROW(write({{"__metadata__", plain}}), Error);
  EXPECT_THROW(write({{"q", Tensor::make({32}, Format::q8_0)}}), Error);
  EXPECT_THROW(write({{"none", Tensor{}}}), Error);
  EXPECT_THROW(write({{"\xff", plain}}), Error);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(SafetensorsWriter, AFailedWriteLeavesTheOldFileAndNoTemporaryOne) {
  test::TempDirectory folder;
  const NamedTensor tensors[] = {{"a", Tensor::make({2}, Format::f32)}};
  EXPECT_THROW(write_safetensors(folder / "absent/m.safetensors", tensors), Error);
  std::filesystem::create_directory(folder / "m.safetensors");
  EXPECT_THROW(write_safetensors(folder / "m.safetensors", tensors), Error);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

/// About 4 KiB: a header of a dozen tensors and their data.
std::string seed_file() {
  std::string header = "{\"__metadata__\":{\"format\":\"pt\"}";
  uint64_t at = 0;
  for (int i = 0; i < 12; ++i) {
    const uint64_t bytes = i % 3 == 0 ? 256 : 200;
    header += "," + tensor_json("model.layers." + std::to_string(i) + ".weight", i % 3 == 0 ? "F32" : "BF16",
                                i % 3 == 0 ? "[8,8]" : "[10,10]", at, at + bytes);
    at += bytes;
  }
  return raw_safetensors(header + "}", at);
}

/// Loads `file` or throws Error; entries that are loaded must lie in the file and fill their shapes.
void load_sanely(const std::string& file) {
  try {
    const SafetensorsHeader header = parse(file);
    for (const SafetensorsEntry& entry : header.entries) {
      ASSERT_GE(entry.offset, header.data_offset);
      ASSERT_LE(entry.bytes, file.size());
      ASSERT_LE(entry.offset, file.size() - entry.bytes);
      uint64_t bytes = info(entry.format).block_bytes;
      for (int64_t n : entry.shape) bytes *= static_cast<uint64_t>(n);
      ASSERT_EQ(bytes, entry.bytes);
    }
  } catch (const Error& error) {
    ASSERT_EQ(error.place().file, "m.safetensors") << error.line();
    ASSERT_TRUE(error.place().offset.has_value()) << error.line();
    ASSERT_LE(*error.place().offset, file.size()) << error.line();
  }
}

TEST(SafetensorsSweep, EveryPrefixIsRefused) {
  const std::string file = seed_file();
  ASSERT_EQ(parse(file).entries.size(), 12u);
  ASSERT_NEAR(static_cast<double>(file.size()), 4096, 512);
  for (size_t n = 0; n < file.size(); ++n) EXPECT_THROW(parse(file.substr(0, n)), Error) << n;
}

TEST(SafetensorsSweep, EveryByteFlipLoadsSanelyOrIsRefused) {
  std::string file = seed_file();
  const size_t header_end = parse(file).data_offset;
  for (size_t i = 0; i < header_end; ++i) {
    const char original = file[i];
    for (int bit = 0; bit < 8; ++bit) {
      file[i] = static_cast<char>(original ^ (1 << bit));
      load_sanely(file);
    }
    file[i] = original;
  }
  for (size_t i = header_end; i < file.size(); ++i) {
    file[i] = static_cast<char>(~file[i]);
    EXPECT_EQ(parse(file).entries.size(), 12u);
    file[i] = static_cast<char>(~file[i]);
  }
}

}  // namespace
}  // namespace braid
