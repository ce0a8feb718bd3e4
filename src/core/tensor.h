#pragma once
// Buffer, Tensor: bytes on a device and a view of them. No graph inside.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/type.h"

namespace braid {

struct Device {
  enum class Kind : uint8_t { cpu, cuda } kind = Kind::cpu;
  int index = 0;
  bool operator==(const Device&) const = default;
};
std::string to_string(Device device);  ///< "cpu", "cuda:0"

/// Keeps memory that a Buffer only refers to alive (a file map, a vector).
using Owner = std::shared_ptr<const void>;

/// A range of memory on one device. Either its own (64-byte aligned, freed with it) or adopted.
class Buffer {
 public:
  /// Memory of the CPU, zero-filled by the system on first touch. Throws Error when there is too little.
  static std::shared_ptr<Buffer> allocate(size_t bytes);
  /// Memory that `owner` keeps alive, not copied.
  static std::shared_ptr<Buffer> adopt(std::span<const std::byte> bytes, Owner owner);

  Buffer(void* data, size_t bytes, Device device, Owner owner)
      : data_(data), bytes_(bytes), device_(device), owner_(std::move(owner)) {}
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  std::byte* data() const { return static_cast<std::byte*>(data_); }
  size_t bytes() const { return bytes_; }
  Device device() const { return device_; }

 private:
  void* data_;
  size_t bytes_;
  Device device_;
  Owner owner_;
};

/// A view: concrete sizes, a format, a place in a buffer. Rows are contiguous and dense.
struct Tensor {
  std::vector<int64_t> shape;
  Format format = Format::f32;
  Layout layout = Layout::row_major;
  std::shared_ptr<Buffer> buffer;
  size_t offset = 0;  ///< bytes

  explicit operator bool() const { return buffer != nullptr; }
  std::byte* bytes() const { return buffer->data() + offset; }
  template <class T>
  T* data() const {
    return reinterpret_cast<T*>(bytes());
  }
  int64_t elements() const;
  int64_t last() const { return shape.empty() ? 1 : shape.back(); }
  /// All elements divided by the last dimension.
  int64_t rows() const;
  uint64_t byte_size() const;
  Type type() const;
  /// The same bytes under another shape with as many elements.
  Tensor reshaped(std::vector<int64_t> to) const;

  /// A new zero-filled tensor in memory of the CPU.
  static Tensor make(std::vector<int64_t> shape, Format format, Layout layout = Layout::row_major);
  /// A one-dimensional or shaped copy of numbers.
  static Tensor of(std::vector<int64_t> shape, std::span<const float> values);
  static Tensor of(std::vector<int64_t> shape, std::span<const int32_t> values);
};

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

}  // namespace braid
