#include "files/safetensors.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/json.h"

namespace braid {
namespace {

constexpr uint64_t kLengthBytes = 8;

constexpr std::pair<std::string_view, Format> kDtypes[] = {
    {"F64", Format::f64},    {"F32", Format::f32},      {"F16", Format::f16},        {"BF16", Format::bf16},
    {"I64", Format::i64},    {"I32", Format::i32},      {"I16", Format::i16},        {"I8", Format::i8},
    {"U8", Format::u8},      {"BOOL", Format::boolean}, {"F8_E4M3", Format::f8e4m3}, {"F8_E5M2", Format::f8e5m2},
    {"F8_E8M0", Format::u8},  // exponents of scales: bytes
};

uint64_t read_length(std::span<const std::byte> file) {
  uint64_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) length |= std::to_integer<uint64_t>(file[i]) << (8 * i);
  return length;
}

std::string quoted(std::string_view name) { return "\"" + std::string(name) + "\""; }
std::string range(uint64_t begin, uint64_t end) {
  return "[" + std::to_string(begin) + ", " + std::to_string(end) + ")";
}

Format format_of(const Json& dtype) {
  const std::string_view name = dtype.as_string();
  for (const auto& [known, format] : kDtypes)
    if (known == name) return format;
  dtype.fail("unknown dtype " + quoted(name),
             "Braid reads F64 F32 F16 BF16 F8_E4M3 F8_E5M2 F8_E8M0 I64 I32 I16 I8 U8 BOOL");
}

/// A size in the header: written as an integer, not as a real that happens to be whole.
uint64_t size_of(const Json& number) {
  if (number.kind() != Json::Kind::integer) number.fail("expected a non-negative integer");
  return number.as_uint();
}

/// Parses one tensor's description. Offsets are checked against the data's length by `check_tiling`.
SafetensorsEntry parse_entry(const Json& json, std::string_view name, const Limits& limits) {
  SafetensorsEntry entry;
  entry.name = name;
  entry.format = format_of(json.at("dtype"));

  const Json shape = json.at("shape");
  if (!shape.is_array()) shape.fail("expected an array of sizes");
  if (shape.size() > limits.max_rank)
    shape.fail("the tensor has " + std::to_string(shape.size()) + " dimensions, more than " +
               std::to_string(limits.max_rank));
  uint64_t bytes = info(entry.format).block_bytes;
  bool overflow = false;
  for (size_t i = 0; i < shape.size(); ++i) {
    const uint64_t n = size_of(shape[i]);
    if (n > INT64_MAX) shape[i].fail("the dimension does not fit into 63 bits");
    entry.shape.push_back(static_cast<int64_t>(n));
    // Zeros count last: [2^62, 2^62, 0] has no bytes, but its products overflow whoever multiplies from the left.
    if (n != 0) overflow = overflow || __builtin_mul_overflow(bytes, n, &bytes) || bytes > INT64_MAX;
  }
  if (overflow) shape.fail("the shape's size overflows 64 bits");
  if (std::find(entry.shape.begin(), entry.shape.end(), 0) != entry.shape.end()) bytes = 0;

  const Json offsets = json.at("data_offsets");
  if (!offsets.is_array() || offsets.size() != 2) offsets.fail("expected [begin, end]");
  const uint64_t begin = size_of(offsets[0]), end = size_of(offsets[1]);
  if (begin > end) offsets.fail("the range " + range(begin, end) + " is reversed");
  if (end - begin != bytes)
    offsets.fail("the shape needs " + std::to_string(bytes) + " bytes, the range " + range(begin, end) + " has " +
                 std::to_string(end - begin));
  entry.offset = begin;
  entry.bytes = bytes;
  return entry;
}

/// The ranges must follow each other without a gap or an overlap, from the first data byte to the last byte of the
/// file.
void check_tiling(const SafetensorsHeader& header, uint64_t data_bytes, const std::string& path) {
  std::vector<const SafetensorsEntry*> order;
  order.reserve(header.entries.size());
  for (const SafetensorsEntry& entry : header.entries) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return std::pair(a->offset, a->bytes) < std::pair(b->offset, b->bytes);
  });
  const auto fail = [&](std::string what, const std::string& field, uint64_t at) {
    throw Error(std::move(what), {.file = path, .field = field, .offset = header.data_offset + at});
  };
  uint64_t end = 0;
  const SafetensorsEntry* last = nullptr;
  for (const SafetensorsEntry* entry : order) {
    const std::string after = last ? quoted(last->name) : std::string("the header");
    if (entry->offset > end)
      fail("data bytes " + range(end, entry->offset) + " between " + after + " and " + quoted(entry->name) +
               " belong to no tensor",
           last ? last->name + ", " + entry->name : entry->name, end);
    if (entry->offset < end)
      fail("the tensors " + after + " at " + range(last->offset, end) + " and " + quoted(entry->name) + " at " +
               range(entry->offset, entry->offset + entry->bytes) + " overlap",
           last->name + ", " + entry->name, entry->offset);
    end = entry->offset + entry->bytes;  // no overflow: the range came as [begin, end] in 64 bits
    last = entry;
    if (end > data_bytes)
      fail("the file is truncated: " + quoted(entry->name) + " at " + range(entry->offset, end) + " needs " +
               std::to_string(end) + " data bytes, the file has " + std::to_string(data_bytes),
           entry->name, data_bytes);
  }
  if (end < data_bytes)
    fail(std::to_string(data_bytes - end) + " bytes follow the last tensor: expected " + std::to_string(end) +
             " data bytes, the file has " + std::to_string(data_bytes),
         last ? last->name : std::string("data_offsets"), end);
}

}  // namespace

SafetensorsHeader SafetensorsHeader::parse(std::span<const std::byte> file, const std::string& path,
                                           const Limits& limits) {
  const auto fail = [&](std::string what, std::string field, uint64_t offset) {
    throw Error(std::move(what), {.file = path, .field = std::move(field), .offset = offset});
  };
  if (file.size() < kLengthBytes)
    fail("the file has " + std::to_string(file.size()) + " bytes, fewer than the 8 of the header's length",
         "header length", file.size());
  const uint64_t length = read_length(file);
  if (length > limits.max_header_bytes)
    fail("the header's length " + std::to_string(length) + " is above the limit of " +
             std::to_string(limits.max_header_bytes) + " bytes",
         "header length", 0);
  if (length > file.size() - kLengthBytes)
    fail("the file is truncated: the header's length is " + std::to_string(length) + ", " +
             std::to_string(file.size() - kLengthBytes) + " bytes follow it",
         "header length", 0);
  const std::string_view text(reinterpret_cast<const char*>(file.data()) + kLengthBytes, length);
  if (length == 0 || text[0] != '{') fail("the header does not begin with '{'", "header", kLengthBytes);

  const JsonDocument document = JsonDocument::parse(text, path, limits, kLengthBytes);
  const Json root = document.root();
  SafetensorsHeader header;
  header.data_offset = kLengthBytes + length;
  if (root.size() > limits.max_tensors)
    fail(
        "the header names " + std::to_string(root.size()) + " tensors, more than " + std::to_string(limits.max_tensors),
        "header", kLengthBytes);
  header.entries.reserve(root.size());
  for (size_t i = 0; i < root.size(); ++i) {
    const Json value = root.value(i);
    if (root.key(i) != "__metadata__") {
      if (!value.is_object()) value.fail("expected an object with dtype, shape and data_offsets");
      header.entries.push_back(parse_entry(value, root.key(i), limits));
      continue;
    }
    if (!value.is_object()) value.fail("expected an object of strings");
    for (size_t m = 0; m < value.size(); ++m) header.metadata.emplace(value.key(m), value.value(m).as_string());
  }
  check_tiling(header, file.size() - header.data_offset, path);
  for (SafetensorsEntry& entry : header.entries) entry.offset += header.data_offset;
  return header;
}

SafetensorsFile::SafetensorsFile(std::shared_ptr<FileMap> map, SafetensorsHeader header)
    : TensorFile(std::move(map), std::move(header.entries)), metadata_(std::move(header.metadata)) {}

SafetensorsFile SafetensorsFile::open(const std::string& path, const Limits& limits) {
  std::shared_ptr<FileMap> map = FileMap::open(path);
  SafetensorsHeader header = SafetensorsHeader::parse(map->bytes(), path, limits);
  map->check();
  return {std::move(map), std::move(header)};
}

std::optional<std::string_view> safetensors_dtype(Format format) {
  for (const auto& [name, known] : kDtypes)
    if (known == format) return name;
  return std::nullopt;
}

}  // namespace braid
