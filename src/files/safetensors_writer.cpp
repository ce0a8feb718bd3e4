#include <algorithm>
#include <array>
#include <set>

#include "core/error.h"
#include "core/json.h"
#include "files/atomic_file.h"
#include "files/safetensors.h"

namespace braid {
namespace {

constexpr size_t kAlignment = 64;  // of the first data byte: a cache line, and the widest vector

void check(const NamedTensor& item, const std::string& path, std::set<std::string_view>& names) {
  const Place place{path, item.name, {}};
  if (item.name == "__metadata__") throw Error("a tensor must not be named __metadata__", place);
  if (!names.insert(item.name).second) throw Error("two tensors have the same name", place);
  if (!item.tensor) throw Error("the tensor has no bytes", place);
  if (item.tensor.layout != Layout::row_major) throw Error("the tensor is packed", place);
  if (!safetensors_dtype(item.tensor.format))
    throw Error("safetensors has no dtype for " + std::string(info(item.tensor.format).name), place,
                "convert it to f32 first");
  if (item.tensor.buffer->device().kind != Device::Kind::cpu)
    throw Error("the tensor is not in the memory of the CPU", place);
}

std::string header_of(std::span<const NamedTensor* const> order, const std::map<std::string, std::string>& metadata) {
  JsonWriter json;
  json.begin_object();
  if (!metadata.empty()) {
    json.key("__metadata__").begin_object();
    for (const auto& [key, text] : metadata) json.member(key, text);
    json.end_object();
  }
  uint64_t at = 0;
  for (const NamedTensor* item : order) {
    const uint64_t end = checked_add(at, item->tensor.byte_size(), {});
    json.key(item->name).begin_object();
    json.member("dtype", *safetensors_dtype(item->tensor.format));
    json.list("shape", std::span<const int64_t>(item->tensor.shape));
    json.list("data_offsets", std::span<const uint64_t>(std::array{at, end}));
    json.end_object();
    at = end;
  }
  json.end_object();
  std::string text = json.text();
  text.resize((8 + text.size() + kAlignment - 1) / kAlignment * kAlignment - 8, ' ');
  return text;
}

}  // namespace

void write_safetensors(const std::string& path, std::span<const NamedTensor> tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<const NamedTensor*> order;
  std::set<std::string_view> names;
  for (const NamedTensor& item : tensors) {
    check(item, path, names);
    order.push_back(&item);
  }
  std::stable_sort(order.begin(), order.end(), [](const NamedTensor* a, const NamedTensor* b) {
    return info(a->tensor.format).block_bytes > info(b->tensor.format).block_bytes;
  });
  const std::string header = header_of(order, metadata);
  std::array<std::byte, 8> length;
  for (size_t i = 0; i < length.size(); ++i) length[i] = static_cast<std::byte>(header.size() >> (8 * i));

  AtomicFile file(path);
  file.write(length);
  file.write(header);
  for (const NamedTensor* item : order) file.write({item->tensor.bytes(), item->tensor.byte_size()});
  file.commit();
}

}  // namespace braid
