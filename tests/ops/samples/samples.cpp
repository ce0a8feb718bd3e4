#include "ops/samples/samples.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "formats/formats.h"

namespace braid::samples {
namespace {

Tensor copy_of(const Tensor& tensor) {
  Tensor copy = Tensor::make(tensor.shape, tensor.format, tensor.layout);
  std::memcpy(copy.bytes(), tensor.bytes(), tensor.byte_size());
  return copy;
}

/// Of a sample's name, so that a sample's numbers do not depend on the samples before it.
uint32_t seed_of(const std::string& name) {
  uint32_t hash = 2166136261u;
  for (char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  return hash;
}

}  // namespace

oracle::Feeds Sample::feeds() const {
  oracle::Feeds feeds{.sizes = sizes, .inputs = inputs, .parameters = {}, .states = {}};
  for (const auto& [name, tensor] : states) feeds.states[name] = copy_of(tensor);
  feeds.parameters = oracle::parameters_by_name([this](std::string_view name) {
    auto it = parameters.find(name);
    return it == parameters.end() ? Tensor{} : it->second;
  });
  return feeds;
}

int64_t Batch::tokens() const { return std::accumulate(spans.begin(), spans.end(), int64_t{0}); }

std::vector<int32_t> Batch::span_start() const {
  std::vector<int32_t> start{0};
  for (int32_t span : spans) start.push_back(start.back() + span);
  return start;
}

SymbolValues Batch::sizes() const {
  SymbolValues sizes;
  sizes[Symbol::tokens] = tokens();
  sizes[Symbol::sequences] = sequences();
  return sizes;
}

Maker::Maker(std::string name, const OpInfo& op, SymbolValues sizes) : random_(seed_of(name)) {
  sample_.name = std::move(name);
  sample_.op = &op;
  sample_.sizes = sizes;
}

std::string Maker::next_name(const char* kind) { return kind + std::to_string(made_++); }

Tensor Maker::normal(const Shape& shape) {
  Tensor tensor = Tensor::make(sizes_at(shape, sample_.sizes), Format::f32);
  std::normal_distribution<float> numbers;
  for (int64_t i = 0; i < tensor.elements(); ++i) tensor.data<float>()[i] = numbers(random_);
  return tensor;
}

Value Maker::input(Shape shape) {
  const std::string name = next_name("x");
  sample_.inputs[name] = normal(shape);
  return b_.input(name, {std::move(shape), Format::f32, {}});
}

Value Maker::uniform(Shape shape, float low, float high) {
  Value x = input(std::move(shape));
  Tensor& tensor = value_of(x);
  std::uniform_real_distribution<float> numbers(low, high);
  for (int64_t i = 0; i < tensor.elements(); ++i) tensor.data<float>()[i] = numbers(random_);
  return x;
}

Value Maker::indices(Shape shape, int32_t low, int32_t high) {
  std::vector<int32_t> values(static_cast<size_t>(element_count(shape, sample_.sizes)));
  std::uniform_int_distribution<int32_t> numbers(low, high - 1);
  for (int32_t& v : values) v = numbers(random_);
  return integers(std::move(shape), values);
}

Value Maker::integers(Shape shape, const std::vector<int32_t>& values) {
  const std::string name = next_name("i");
  sample_.inputs[name] = Tensor::of(sizes_at(shape, sample_.sizes), std::span<const int32_t>(values));
  return b_.input(name, {std::move(shape), Format::i32, {}});
}

Value Maker::weight(Shape shape, Format format) {
  const std::string name = next_name("w");
  const Tensor numbers = normal(shape);
  Tensor encoded = Tensor::make(numbers.shape, format);
  const auto last = static_cast<size_t>(numbers.last());
  for (int64_t r = 0; r < numbers.rows(); ++r)
    format_ops(format).encode({numbers.data<float>() + r * numbers.last(), last},
                              encoded.bytes() + static_cast<size_t>(r) * row_bytes(format, last));
  sample_.parameters[name] = encoded;
  return b_.parameter(name, {std::move(shape), format, {}});
}

Value Maker::state(Shape shape, Lifetime lifetime, Format format) {
  const std::string name = next_name("s");
  const Tensor numbers = normal(shape);
  Tensor encoded = Tensor::make(numbers.shape, format);
  format_ops(format).encode({numbers.data<float>(), static_cast<size_t>(numbers.elements())}, encoded.bytes());
  sample_.states[name] = encoded;
  return b_.state(name, {std::move(shape), format, {}}, lifetime);
}

Value Maker::span_start(const Batch& batch) { return integers({Dim(Symbol::sequences, 1, 1)}, batch.span_start()); }
Value Maker::context(const Batch& batch) { return integers({Dim(Symbol::sequences)}, batch.contexts); }
Value Maker::slots(const Batch& batch) { return integers({Dim(Symbol::sequences)}, batch.slots); }

Value Maker::page_table(const Batch& batch, int64_t page_size, int64_t pages, int64_t max_pages) {
  std::vector<int32_t> free(static_cast<size_t>(pages));
  std::iota(free.begin(), free.end(), 0);
  std::shuffle(free.begin(), free.end(), random_);
  std::vector<int32_t> table;
  for (size_t s = 0; s < batch.spans.size(); ++s) {
    const int64_t used = (batch.contexts[s] + batch.spans[s] + page_size - 1) / page_size;
    for (int64_t p = 0; p < max_pages; ++p) {
      table.push_back(p < used ? free.back() : -1);
      if (p < used) free.pop_back();
    }
  }
  return integers({Dim(Symbol::sequences), Dim(max_pages)}, table);
}

Tensor& Maker::value_of(Value leaf) {
  const Node& node = b_.graph().node(leaf.id);
  const std::string& name = node.attrs.text("name");
  if (node.op == &op::parameter) return sample_.parameters.at(name);
  if (node.op == &op::state) return sample_.states.at(name);
  return sample_.inputs.at(name);
}

Sample Maker::finish(const std::vector<Value>& outputs, double roundings) {
  for (size_t i = 0; i < outputs.size(); ++i) b_.output("y" + std::to_string(i), outputs[i]);
  sample_.graph = b_.finish();
  sample_.roundings = roundings;
  return std::move(sample_);
}

std::vector<Sample> all() {
  std::vector<Sample> samples;
  for (auto make : {elementwise, reductions, products, moves, sequences, composites})
    for (Sample& sample : make()) samples.push_back(std::move(sample));
  return samples;
}

}  // namespace braid::samples
