#include <bit>
#include <charconv>
#include <cstring>

#include "core/error.h"
#include "files/gguf.h"

namespace braid {
namespace {

using ValueType = GgufValue::Type;

template <class T>
T load(std::span<const std::byte> bytes, size_t index = 0) {
  static_assert(std::endian::native == std::endian::little);
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

/// Element `index` of numbers of an integer type; nothing for other types and for numbers above 2^63.
std::optional<int64_t> integer_at(ValueType type, std::span<const std::byte> bytes, size_t index) {
  switch (type) {
    case ValueType::u8:
      return load<uint8_t>(bytes, index);
    case ValueType::i8:
      return load<int8_t>(bytes, index);
    case ValueType::u16:
      return load<uint16_t>(bytes, index);
    case ValueType::i16:
      return load<int16_t>(bytes, index);
    case ValueType::u32:
      return load<uint32_t>(bytes, index);
    case ValueType::i32:
      return load<int32_t>(bytes, index);
    case ValueType::i64:
      return load<int64_t>(bytes, index);
    case ValueType::u64:
      if (const auto value = load<uint64_t>(bytes, index); value <= INT64_MAX) return static_cast<int64_t>(value);
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

std::string type_text(const GgufValue& value) {
  return value.type == ValueType::array ? "an array of " + std::string(name(value.element))
                                        : std::string(name(value.type));
}

}  // namespace

bool GgufMetadata::add(std::string_view key, GgufValue value) {
  if (!by_key_.emplace(key, values_.size()).second) return false;
  values_.emplace_back(key, std::move(value));
  return true;
}

const GgufValue* GgufMetadata::find(std::string_view key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &values_[found->second].second;
}

std::optional<uint64_t> GgufMetadata::offset_of(std::string_view field) const {
  const size_t bracket = field.ends_with(']') ? field.find('[') : std::string_view::npos;
  const GgufValue* value = find(field.substr(0, bracket));
  if (value == nullptr) return std::nullopt;
  size_t index = 0;
  const std::string_view digits = bracket == std::string_view::npos ? "" : field.substr(bracket + 1);
  const bool numbered = std::from_chars(digits.data(), digits.data() + digits.size(), index).ec == std::errc();
  if (!numbered || value->type != ValueType::array || index >= value->count) return value->offset;
  constexpr uint64_t kBeforeElements = sizeof(uint32_t) + sizeof(uint64_t);  // their type and count
  const uint64_t first = value->offset + kBeforeElements;
  if (value->element != ValueType::string) return first + value->bytes.size() / value->count * index;
  return first + static_cast<uint64_t>(value->strings[index].data() - value->strings[0].data());
}

void GgufMetadata::fail(std::string_view key, std::string what, std::string advice) const {
  const GgufValue* value = find(key);
  throw Error(std::move(what),
              {.file = path_,
               .field = std::string(key),
               .offset = value != nullptr ? std::optional<uint64_t>(value->offset) : std::nullopt},
              std::move(advice));
}

std::optional<int64_t> GgufMetadata::integer(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto number = integer_at(value->type, value->bytes, 0)) return number;
  fail(key, "expected an integer below 2^63, not " + type_text(*value));
}

std::optional<double> GgufMetadata::real(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->type == ValueType::f32) return load<float>(value->bytes);
  if (value->type == ValueType::f64) return load<double>(value->bytes);
  fail(key, "expected FLOAT32, not " + type_text(*value));
}

std::optional<bool> GgufMetadata::flag(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->type != ValueType::boolean) fail(key, "expected BOOL, not " + type_text(*value));
  return load<uint8_t>(value->bytes) != 0;
}

std::optional<std::string_view> GgufMetadata::text(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->type != ValueType::string) fail(key, "expected STRING, not " + type_text(*value));
  return std::string_view(reinterpret_cast<const char*>(value->bytes.data()), value->bytes.size());
}

const GgufValue* GgufMetadata::array(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value != nullptr && value->type != ValueType::array) fail(key, "expected an array, not " + type_text(*value));
  return value;
}

std::span<const std::string_view> GgufMetadata::strings(std::string_view key) const {
  const GgufValue* value = array(key);
  if (value == nullptr) return {};
  if (value->element != ValueType::string) fail(key, "expected an array of STRING, not " + type_text(*value));
  return value->strings;
}

std::vector<float> GgufMetadata::floats(std::string_view key) const {
  const GgufValue* value = array(key);
  if (value == nullptr) return {};
  if (value->element != ValueType::f32) fail(key, "expected an array of FLOAT32, not " + type_text(*value));
  std::vector<float> numbers(value->count);
  if (!numbers.empty()) std::memcpy(numbers.data(), value->bytes.data(), numbers.size() * sizeof(float));
  return numbers;
}

std::vector<int64_t> GgufMetadata::integers(std::string_view key) const {
  const GgufValue* value = array(key);
  if (value == nullptr) return {};
  std::vector<int64_t> numbers(value->count);
  for (size_t i = 0; i < numbers.size(); ++i) {
    const auto number = integer_at(value->element, value->bytes, i);
    if (!number) fail(key, "expected an array of integers below 2^63, not " + type_text(*value));
    numbers[i] = *number;
  }
  return numbers;
}

std::string_view GgufMetadata::need_text(std::string_view key) const {
  if (const auto value = text(key)) return *value;
  fail(key, "the metadata lack the key \"" + std::string(key) + "\"");
}

int64_t GgufMetadata::need_integer(std::string_view key) const {
  if (const auto value = integer(key)) return *value;
  fail(key, "the metadata lack the key \"" + std::string(key) + "\"");
}

}  // namespace braid
