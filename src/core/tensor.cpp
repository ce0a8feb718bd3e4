#include "core/tensor.h"

#include <sys/mman.h>

#include <cstring>

#include "core/error.h"

namespace braid {
namespace {

constexpr size_t kHugePage = 2u << 20;

Type concrete_type(const Tensor& tensor) {
  Type type{{}, tensor.format, tensor.layout};
  for (int64_t n : tensor.shape) type.shape.emplace_back(n);
  return type;
}

}  // namespace

std::string to_string(Device device) {
  return device.kind == Device::Kind::cpu ? "cpu" : "cuda:" + std::to_string(device.index);
}

std::shared_ptr<Buffer> Buffer::allocate(size_t bytes) {
  // mmap gives zero pages that cost nothing until touched; large buffers ask for huge pages.
  const size_t length =
      (bytes + 4095) / 4096 * 4096 + 4096;  // one page of slack, so that wide loads never leave the buffer
  void* data = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED)
    throw Error("cannot allocate " + std::to_string(bytes) + " bytes", {}, "lower --context or use a smaller model");
  if (length >= kHugePage / 2) madvise(data, length, MADV_HUGEPAGE);  // neighbours merge: weights of any size profit
  return std::make_shared<Buffer>(data, bytes, Device{}, Owner(data, [length](void* p) { munmap(p, length); }));
}

std::shared_ptr<Buffer> Buffer::adopt(std::span<const std::byte> bytes, Owner owner) {
  return std::make_shared<Buffer>(const_cast<std::byte*>(bytes.data()), bytes.size(), Device{}, std::move(owner));
}

int64_t Tensor::elements() const {
  int64_t count = 1;
  for (int64_t n : shape) count *= n;
  return count;
}

int64_t Tensor::rows() const {
  int64_t count = 1;
  for (size_t i = 0; i + 1 < shape.size(); ++i) count *= shape[i];
  return count;
}

uint64_t Tensor::byte_size() const { return braid::byte_size(concrete_type(*this), {}); }

Type Tensor::type() const { return concrete_type(*this); }

Tensor Tensor::reshaped(std::vector<int64_t> to) const {
  Tensor out = *this;
  out.shape = std::move(to);
  if (out.elements() != elements())
    throw ShapeError("cannot reshape " + to_string(type()) + " to " + to_string(out.type()));
  return out;
}

Tensor Tensor::make(std::vector<int64_t> shape, Format format, Layout layout) {
  Tensor out{std::move(shape), format, layout, nullptr, 0};
  out.buffer = Buffer::allocate(out.byte_size());
  return out;
}

Tensor Tensor::of(std::vector<int64_t> shape, std::span<const float> values) {
  Tensor out = make(std::move(shape), Format::f32);
  if (out.elements() != static_cast<int64_t>(values.size()))
    throw ShapeError("wrong number of values for " + to_string(out.type()));
  std::memcpy(out.bytes(), values.data(), values.size_bytes());
  return out;
}

Tensor Tensor::of(std::vector<int64_t> shape, std::span<const int32_t> values) {
  Tensor out = make(std::move(shape), Format::i32);
  if (out.elements() != static_cast<int64_t>(values.size()))
    throw ShapeError("wrong number of values for " + to_string(out.type()));
  std::memcpy(out.bytes(), values.data(), values.size_bytes());
  return out;
}

}  // namespace braid
