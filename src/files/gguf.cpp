#include "files/gguf.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>

#include "core/error.h"

namespace braid {
namespace {

using ValueType = GgufValue::Type;

constexpr std::string_view kMagic = "GGUF";
constexpr uint64_t kMaxName = 65'535;  // bytes of a key (the format's limit) and of a tensor's name
constexpr uint64_t kDefaultAlignment = 32;
constexpr uint64_t kMaxAlignment = 1 << 20;
constexpr std::string_view kAlignmentKey = "general.alignment";

/// Bytes of a value of fixed size; 0 for strings and arrays.
uint64_t size_of(ValueType type) {
  constexpr uint64_t kSizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  return kSizes[static_cast<size_t>(type)];
}

/// Reads a file from its beginning; what lies behind its end is an Error at the field being read.
class Cursor {
 public:
  Cursor(std::span<const std::byte> file, const std::string& path) : file_(file), path_(path) {}

  uint64_t at() const { return at_; }
  uint64_t left() const { return file_.size() - at_; }
  [[noreturn]] void fail(std::string what, std::string field, uint64_t offset, std::string advice = {}) const {
    throw Error(std::move(what), {.file = path_, .field = std::move(field), .offset = offset}, std::move(advice));
  }
  std::span<const std::byte> bytes(uint64_t count, const std::string& field) {
    if (count > left())
      fail("the file is truncated: " + std::to_string(count) + " bytes are wanted, " + std::to_string(left()) +
               " are left",
           field, at_);
    const auto part = file_.subspan(at_, count);
    at_ += count;
    return part;
  }
  template <class T>
  T number(const std::string& field) {
    T value;
    std::memcpy(&value, bytes(sizeof(T), field).data(), sizeof(T));
    return value;
  }
  std::string_view text(const std::string& field, uint64_t most = UINT64_MAX) {
    const uint64_t begin = at_;
    const auto length = number<uint64_t>(field);
    if (length > most)
      fail("a length of " + std::to_string(length) + " bytes is above the limit of " + std::to_string(most), field,
           begin);
    if (length > left())
      fail("the file is truncated: a text of " + std::to_string(length) + " bytes is wanted, " +
               std::to_string(left()) + " are left",
           field, begin);
    const auto characters = bytes(length, field);
    return {reinterpret_cast<const char*>(characters.data()), characters.size()};
  }
  /// A key or a tensor's name.
  std::string_view identifier(const std::string& field) {
    const uint64_t begin = at_;
    const std::string_view name = text(field, kMaxName);
    if (name.empty()) fail("the name is empty", field, begin);
    if (!std::ranges::all_of(name, [](char c) { return c > 0x20 && c < 0x7f; }))
      fail("the name holds characters other than printable ASCII", field, begin);
    return name;
  }

 private:
  std::span<const std::byte> file_;
  const std::string& path_;
  uint64_t at_ = 0;
};

ValueType read_type(Cursor& in, const std::string& field) {
  const uint64_t begin = in.at();
  const auto id = in.number<uint32_t>(field);
  if (id > static_cast<uint32_t>(ValueType::f64)) in.fail("unknown value type " + std::to_string(id), field, begin);
  return static_cast<ValueType>(id);
}

void check_booleans(const Cursor& in, std::span<const std::byte> bytes, const std::string& field, uint64_t begin) {
  for (size_t i = 0; i < bytes.size(); ++i)
    if (std::to_integer<int>(bytes[i]) > 1) in.fail("a BOOL is neither 0 nor 1", field, begin + i);
}

void read_array(Cursor& in, GgufValue& value, const std::string& field) {
  const uint64_t begin = in.at();
  value.element = read_type(in, field);
  if (value.element == ValueType::array) in.fail("arrays of arrays are not supported", field, begin);
  const uint64_t count_at = in.at();
  value.count = in.number<uint64_t>(field);
  const bool strings = value.element == ValueType::string;
  // Each string takes its length's eight bytes at least: what cannot fit is found before anything is allocated.
  if (value.count > in.left() / (strings ? 8 : size_of(value.element)))
    in.fail("the file is truncated: an array of " + std::to_string(value.count) + " elements does not fit into the " +
                std::to_string(in.left()) + " bytes left",
            field, count_at);
  if (strings) {
    value.strings.reserve(value.count);
    for (uint64_t i = 0; i < value.count; ++i) value.strings.push_back(in.text(field));
    return;
  }
  const uint64_t data = in.at();
  value.bytes = in.bytes(value.count * size_of(value.element), field);
  if (value.element == ValueType::boolean) check_booleans(in, value.bytes, field, data);
}

GgufValue read_value(Cursor& in, const std::string& field) {
  GgufValue value;
  value.type = read_type(in, field);
  value.offset = in.at();
  if (value.type == ValueType::array) {
    read_array(in, value, field);
  } else if (value.type == ValueType::string) {
    value.bytes = std::as_bytes(std::span(in.text(field)));
  } else {
    value.bytes = in.bytes(size_of(value.type), field);
    if (value.type == ValueType::boolean) check_booleans(in, value.bytes, field, value.offset);
  }
  return value;
}

struct Counts {
  uint64_t tensors, values;
};

Counts read_preamble(Cursor& in, std::span<const std::byte> file, const Limits& limits) {
  const auto magic = in.bytes(kMagic.size(), "magic");
  if (std::memcmp(magic.data(), kMagic.data(), kMagic.size()) != 0)
    in.fail("the file does not begin with GGUF", "magic", 0, "this is no GGUF file");
  const auto version = in.number<uint32_t>("version");
  if (version != 2 && version != 3) {
    const bool swapped = __builtin_bswap32(version) == 2 || __builtin_bswap32(version) == 3;
    in.fail(swapped ? "the file is big-endian" : "version " + std::to_string(version) + " of the format is unknown",
            "version", 4, swapped ? "convert it on this machine" : "versions 2 and 3 are read");
  }
  Counts counts{};
  constexpr uint64_t kLeastTensor = 8 + 1 + 4 + 4 + 8, kLeastValue = 8 + 1 + 4 + 1;  // bytes in the file
  const auto count = [&](const char* field, uint64_t least) {
    const uint64_t begin = in.at();
    const auto n = in.number<uint64_t>(field);
    if (n > file.size() / least)
      in.fail(
          "a count of " + std::to_string(n) + " does not fit into a file of " + std::to_string(file.size()) + " bytes",
          field, begin);
    return n;
  };
  counts.tensors = count("tensor count", kLeastTensor);
  if (counts.tensors > limits.max_tensors)
    in.fail(std::to_string(counts.tensors) + " tensors are more than " + std::to_string(limits.max_tensors),
            "tensor count", 8);
  counts.values = count("metadata count", kLeastValue);
  return counts;
}

uint64_t alignment_of(const Cursor& in, const GgufMetadata& metadata) {
  const GgufValue* value = metadata.find(kAlignmentKey);
  if (value == nullptr) return kDefaultAlignment;
  const std::string field(kAlignmentKey);
  if (value->type != ValueType::u32)
    in.fail("expected UINT32, not " + std::string(name(value->type)), field, value->offset);
  const auto alignment = static_cast<uint64_t>(*metadata.integer(kAlignmentKey));
  if (alignment % 8 != 0 || !std::has_single_bit(alignment) || alignment > kMaxAlignment)
    in.fail(
        "the alignment " + std::to_string(alignment) + " is no power of two from 8 to " + std::to_string(kMaxAlignment),
        field, value->offset);
  return alignment;
}

/// A tensor as the file describes it.
struct Described {
  TensorEntry entry;  // offset: from the beginning of the data
  const GgufTensorType* type = nullptr;
  uint64_t offset_at = 0;  // where the file says the offset
};

const GgufTensorType& type_of(const Cursor& in, uint32_t id, const std::string& field, uint64_t at) {
  for (const GgufTensorType& type : gguf_tensor_types()) {
    if (type.id != id) continue;
    if (type.block_elements == 0)
      in.fail("the tensor's type " + std::string(type.name) + " was removed from the format", field, at,
              "make the file again with a newer llama.cpp");
    return type;
  }
  in.fail("unknown tensor type " + std::to_string(id), field, at);
}

Described read_tensor(Cursor& in, const std::string& number) {
  Described tensor;
  tensor.entry.name = in.identifier("tensor " + number);
  const std::string& field = tensor.entry.name;
  const uint64_t rank_at = in.at();
  const auto rank = in.number<uint32_t>(field);
  constexpr uint32_t kMaxRank = 4;  // the format's
  if (rank > kMaxRank) in.fail("the tensor has " + std::to_string(rank) + " dimensions, more than 4", field, rank_at);
  std::vector<uint64_t> sizes_at(rank);
  for (uint32_t i = 0; i < rank; ++i) {
    sizes_at[i] = in.at();
    const auto n = in.number<uint64_t>(field);
    if (n == 0 || n > INT64_MAX)
      in.fail("dimension " + std::to_string(i) + " is " + (n == 0 ? "0" : "negative"), field, sizes_at[i]);
    tensor.entry.shape.insert(tensor.entry.shape.begin(), static_cast<int64_t>(n));  // the contiguous one comes first
  }
  const uint64_t type_at = in.at();
  tensor.type = &type_of(in, in.number<uint32_t>(field), field, type_at);
  const auto row = static_cast<uint64_t>(rank == 0 ? 1 : tensor.entry.shape.back());
  if (row % tensor.type->block_elements != 0)
    in.fail("rows of " + std::to_string(row) + " elements are no whole number of blocks of " +
                std::string(tensor.type->name),
            field, rank == 0 ? rank_at : sizes_at[0]);
  uint64_t bytes = row / tensor.type->block_elements;
  bool overflow = __builtin_mul_overflow(bytes, uint64_t{tensor.type->block_bytes}, &bytes);
  for (size_t i = 0; i + 1 < tensor.entry.shape.size(); ++i)
    overflow |= __builtin_mul_overflow(bytes, static_cast<uint64_t>(tensor.entry.shape[i]), &bytes);
  if (overflow || bytes > INT64_MAX) in.fail("the tensor's size overflows 64 bits", field, sizes_at[0]);
  tensor.entry.bytes = bytes;
  tensor.offset_at = in.at();
  tensor.entry.offset = in.number<uint64_t>(field);
  return tensor;
}

uint64_t padded(uint64_t n, uint64_t alignment) { return (n + alignment - 1) / alignment * alignment; }

/// Each tensor begins where the one before it ends, rounded up; the last one ends inside the file.
void check_places(const Cursor& in, std::span<const Described> tensors, uint64_t data, uint64_t alignment,
                  uint64_t file_bytes) {
  uint64_t end = 0;
  const TensorEntry* last = nullptr;
  for (const Described& tensor : tensors) {
    const TensorEntry& entry = tensor.entry;
    if (entry.offset % alignment != 0)
      in.fail("the offset " + std::to_string(entry.offset) + " is no multiple of the alignment " +
                  std::to_string(alignment),
              entry.name, tensor.offset_at);
    const uint64_t expected = padded(end, alignment);
    if (entry.offset != expected)
      in.fail("the offset is " + std::to_string(entry.offset) + ", but " +
                  (last ? "\"" + last->name + "\" ends at " + std::to_string(end) : "the data begin at 0") +
                  (entry.offset < expected ? ": they overlap" : ": bytes between belong to no tensor"),
              entry.name, tensor.offset_at);
    if (data > file_bytes || entry.offset > file_bytes - data || entry.bytes > file_bytes - data - entry.offset)
      in.fail("the file is truncated: the tensor's " + std::to_string(entry.bytes) + " bytes at " +
                  std::to_string(entry.offset) + " of the data end behind the file's " + std::to_string(file_bytes),
              entry.name, tensor.offset_at);
    end = entry.offset + entry.bytes;
    last = &entry;
  }
  if (last && file_bytes - data > padded(end, alignment))
    in.fail(std::to_string(file_bytes - data - end) + " bytes follow the last tensor", last->name, data + end);
}

}  // namespace

GgufHeader GgufHeader::parse(std::span<const std::byte> file, const std::string& path,
                             std::shared_ptr<const void> owner, const Limits& limits) {
  Cursor in(file, path);
  const Counts counts = read_preamble(in, file, limits);
  GgufHeader header{.metadata = GgufMetadata(path, std::move(owner)), .entries = {}, .others = {}};
  for (uint64_t i = 0; i < counts.values; ++i) {
    const uint64_t begin = in.at();
    const std::string_view key = in.identifier("metadata " + std::to_string(i));
    GgufValue value = read_value(in, std::string(key));
    if (!header.metadata.add(key, std::move(value))) in.fail("the key occurs twice", std::string(key), begin);
  }
  const uint64_t alignment = alignment_of(in, header.metadata);
  std::vector<Described> tensors;
  std::set<std::string> names;
  for (uint64_t i = 0; i < counts.tensors; ++i) {
    const uint64_t begin = in.at();
    tensors.push_back(read_tensor(in, std::to_string(i)));
    if (!names.insert(tensors.back().entry.name).second)
      in.fail("the tensor occurs twice", tensors.back().entry.name, begin);
  }
  const uint64_t data = padded(in.at(), alignment);  // no overflow: the alignment is small
  check_places(in, tensors, data, alignment, file.size());
  for (Described& tensor : tensors) {
    tensor.entry.offset += data;
    if (tensor.type->format) {
      tensor.entry.format = *tensor.type->format;
      header.entries.push_back(std::move(tensor.entry));
    } else {
      header.others.emplace_back(std::move(tensor.entry.name), tensor.type->name);
    }
  }
  return header;
}

bool is_gguf(std::string_view path) {
  const std::string_view ending = path.substr(path.size() - std::min<size_t>(path.size(), 5));
  return std::ranges::equal(ending, std::string_view(".gguf"),
                            [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

}  // namespace braid
