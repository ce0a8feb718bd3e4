#include "files/gguf_writer.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/error.h"
#include "core/limits.h"
#include "files/atomic_file.h"
#include "files/gguf.h"

namespace braid {
namespace {

using ValueType = GgufValue::Type;

constexpr uint64_t kAlignment = 32;

template <class T>
void put(std::string& out, T value) {
  static_assert(std::endian::native == std::endian::little);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<uint64_t>(text.size()));
  out += text;
}

uint32_t id(ValueType type) { return static_cast<uint32_t>(type); }

template <class T>
void put_array(std::string& out, ValueType type, std::span<const T> values) {
  put(out, id(type));
  put(out, static_cast<uint64_t>(values.size()));
  for (const T value : values) put(out, value);
}

uint64_t padded(uint64_t n) { return (n + kAlignment - 1) / kAlignment * kAlignment; }

const GgufTensorType* type_of(Format format) {
  for (const GgufTensorType& type : gguf_tensor_types())
    if (type.format == format) return &type;
  return nullptr;
}

}  // namespace

void GgufWriter::key(std::string_view name, uint32_t type) {
  put_text(values_, name);
  put(values_, type);
  ++count_;
}

void GgufWriter::text(std::string_view name, std::string_view value) {
  key(name, id(ValueType::string));
  put_text(values_, value);
}
void GgufWriter::integer(std::string_view name, uint32_t value) {
  key(name, id(ValueType::u32));
  put(values_, value);
}
void GgufWriter::real(std::string_view name, float value) {
  key(name, id(ValueType::f32));
  put(values_, value);
}
void GgufWriter::flag(std::string_view name, bool value) {
  key(name, id(ValueType::boolean));
  put(values_, static_cast<uint8_t>(value));
}
void GgufWriter::texts(std::string_view name, std::span<const std::string> values) {
  key(name, id(ValueType::array));
  put(values_, id(ValueType::string));
  put(values_, static_cast<uint64_t>(values.size()));
  for (const std::string& value : values) put_text(values_, value);
}
void GgufWriter::reals(std::string_view name, std::span<const float> values) {
  key(name, id(ValueType::array));
  put_array(values_, ValueType::f32, values);
}
void GgufWriter::integers(std::string_view name, std::span<const int32_t> values) {
  key(name, id(ValueType::array));
  put_array(values_, ValueType::i32, values);
}
void GgufWriter::bytes(std::string_view name, std::string_view values) {
  key(name, id(ValueType::array));
  put_array(values_, ValueType::u8, std::span(reinterpret_cast<const uint8_t*>(values.data()), values.size()));
}

void GgufWriter::tensor(std::string name, std::vector<int64_t> shape, Format format, std::function<Tensor()> make) {
  const Place place{.file = {}, .field = name, .offset = {}};
  if (type_of(format) == nullptr) throw Error("GGUF has no type for " + std::string(info(format).name), place);
  if (shape.size() > 4) throw Error("a tensor of a GGUF file has four dimensions at most", place);
  const Type type{.shape = Shape(shape.begin(), shape.end()), .format = format};
  const uint64_t size = byte_size(type, {});
  tensors_.push_back({std::move(name), std::move(shape), format, size, padded(data_), std::move(make)});
  data_ = checked_add(padded(data_), size, place);
}

std::string GgufWriter::header() const {
  std::string out = "GGUF";
  put(out, uint32_t{3});
  put(out, static_cast<uint64_t>(tensors_.size()));
  put(out, count_);
  out += values_;
  for (const Item& item : tensors_) {
    put_text(out, item.name);
    put(out, static_cast<uint32_t>(item.shape.size()));
    for (auto n = item.shape.rbegin(); n != item.shape.rend(); ++n) put(out, static_cast<uint64_t>(*n));
    put(out, type_of(item.format)->id);
    put(out, item.offset);
  }
  out.resize(padded(out.size()), '\0');
  return out;
}

uint64_t GgufWriter::file_bytes() const { return header().size() + data_; }

void GgufWriter::write(const std::string& path, const std::function<bool(uint64_t, uint64_t)>& progress) const {
  AtomicFile file(path);
  file.write(header());
  uint64_t done = 0;
  for (const Item& item : tensors_) {
    file.write(std::string(item.offset - done, '\0'));
    const Tensor tensor = item.make();
    if (tensor.format != item.format || tensor.shape != item.shape || tensor.byte_size() != item.bytes)
      throw Error("the tensor is not what was announced", {.file = path, .field = item.name, .offset = {}});
    file.write({tensor.bytes(), item.bytes});
    done = item.offset + item.bytes;
    if (progress && !progress(done, data_))
      throw Error("the work was stopped", {.file = path, .field = {}, .offset = {}});
  }
  file.commit();
}

}  // namespace braid
