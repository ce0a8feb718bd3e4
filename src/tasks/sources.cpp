#include "tasks/sources.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "core/parallel.h"
#include "formats/formats.h"
#include "formats/half.h"
#include "models/model.h"

namespace braid {
namespace {

constexpr double kDeviation = 0.02;
constexpr size_t kChunkBlocks = 1 << 16;  // what one thread fills at a time: blocks, or groups of four elements

uint64_t mix(uint64_t x) {  // SplitMix64's finaliser
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

/// FNV-1a.
uint64_t hash(std::string_view name) {
  uint64_t h = 0xcbf29ce484222325ull;
  for (const char c : name) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  return h;
}

struct Stream {
  uint64_t key;
  uint64_t operator()(uint64_t index) const { return mix(key + (index + 1) * 0x9e3779b97f4a7c15ull); }
};

void in_chunks(size_t count, const std::function<void(size_t, size_t)>& fill) {
  parallel_for((count + kChunkBlocks - 1) / kChunkBlocks,
               [&](size_t chunk) { fill(chunk * kChunkBlocks, std::min(count, (chunk + 1) * kChunkBlocks)); });
}

/// The sum of two bytes, centred, has a standard deviation of √(2 · (256² − 1) / 12) = 104.5: its 511 values in the
/// tensor's format are a table, so a number costs a sixteenth of a hash and one load.
template <class Element>
void fill_plain(const Tensor& tensor, const Stream& stream, double mean) {
  const double step = kDeviation / std::sqrt((256.0 * 256 - 1) / 6);
  std::array<float, 511> numbers;
  for (int i = 0; i < 511; ++i) numbers[i] = static_cast<float>(mean + (i - 255) * step);
  std::array<Element, 511> table;
  format_ops(tensor.format).encode(numbers, reinterpret_cast<std::byte*>(table.data()));
  Element* const out = tensor.data<Element>();
  const auto elements = static_cast<size_t>(tensor.elements());
  in_chunks((elements + 3) / 4, [&](size_t begin, size_t end) {
    for (size_t group = begin; group < end; ++group) {
      uint64_t bits = stream(group);
      for (size_t i = 4 * group; i < std::min(elements, 4 * group + 4); ++i, bits >>= 16)
        out[i] = table[(bits & 0xff) + (bits >> 8 & 0xff)];
    }
  });
}

/// Uniform codes on both sides of the zero point (the one code too many below it becomes 0), with one scale.
void fill_blocks(const Tensor& tensor, const Stream& stream) {
  const FormatInfo& format = info(tensor.format);
  const IntegerBlocks& blocks = format_ops(tensor.format).blocks;
  const double z = blocks.zero_point;  // codes - z: each of 1 - z … z - 1 once, 0 twice
  const auto scale = float_to_half(static_cast<float>(kDeviation / std::sqrt((z - 1) * (2 * z - 1) / 6)));
  const auto mask = static_cast<uint8_t>(2 * blocks.zero_point - 1);
  const size_t count = tensor.byte_size() / format.block_bytes;
  in_chunks(count, [&](size_t begin, size_t end) {
    std::array<uint8_t, 32> code;
    for (size_t block = begin; block < end; ++block) {
      for (size_t i = 0; i < 4; ++i) {
        const uint64_t bits = stream(4 * block + i);
        std::memcpy(&code[8 * i], &bits, sizeof bits);
      }
      for (uint8_t& c : code)
        if ((c &= mask) == 0) c = static_cast<uint8_t>(blocks.zero_point);
      blocks.write(scale, code.data(), tensor.bytes() + block * format.block_bytes);
    }
  });
}

/// Norms' weights are the vectors called "weight".
bool around_one(std::string_view name, const Type& type) {
  return type.rank() == 1 && (name.ends_with("weight") || name.ends_with("gamma") || name.ends_with("running_var"));
}

}  // namespace

Tensor CheckpointSource::get(std::string_view name) {
  const bool in_order = name.ends_with(kReordered);
  const std::string_view own = in_order ? name.substr(0, name.size() - kReordered.size()) : name;
  const CodedWeight* weight = quantised_ ? quantised_->find(own) : nullptr;
  if (weight == nullptr) return checkpoint_->at(name);
  Tensor made = quantised_->make(*weight, in_order);
  for (const std::string& stored : weight->stored)
    if (stored != name) release(stored);
  return made;
}

void CheckpointSource::release(std::string_view name) {
  for (const TensorFile& file : checkpoint_->files())
    if (const TensorEntry* entry = file.find(name)) file.map()->release(entry->offset, entry->bytes);
}

Tensor RandomSource::get(std::string_view name) {
  const auto found = types_.find(name);
  if (found == types_.end())
    throw Error("no graph reads this tensor", {.file = {}, .field = std::string(name), .offset = {}});
  const Type& type = found->second;
  const Tensor tensor = Tensor::make(sizes_at(type.shape, {}), type.format);
  const Stream stream{mix(mix(seed_) ^ hash(name))};
  const double mean = around_one(name, type) ? 1 : 0;
  if (format_ops(type.format).blocks.write != nullptr)
    fill_blocks(tensor, stream);
  else if (info(type.format).floating && info(type.format).block_bytes == 2)
    fill_plain<uint16_t>(tensor, stream, mean);
  else if (type.format == Format::f32)
    fill_plain<float>(tensor, stream, mean);
  else
    throw Error("there are no random numbers in " + std::string(info(type.format).name),
                {.file = {}, .field = std::string(name), .offset = {}});
  return tensor;
}

}  // namespace braid
