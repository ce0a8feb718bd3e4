#include "models/schemes/scheme.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "core/error.h"
#include "formats/formats.h"
#include "models/names.h"

namespace braid {
namespace {

struct SchemeEntry {
  std::string_view name;
  SchemeReader (*make)(const Config& how);
};
constexpr SchemeEntry kSchemes[] = {
#define SCHEME(name) {#name, name##_scheme},
#include "models/schemes/list.inc"
#undef SCHEME
};

SchemeReader reader_of(const Config& how) {
  const std::string method = how.string_at("quant_method");
  std::string id = method;
  std::ranges::replace(id, '-', '_');
  std::vector<std::string> known;
  for (const SchemeEntry& scheme : kSchemes) {
    if (scheme.name == id) return scheme.make(how);
    known.emplace_back(scheme.name);
  }
  how.fail("quant_method", "weights quantised by \"" + method + "\" are not supported",
           "take the checkpoint that is not quantised; Braid reads " + join(known));
}

/// "a.b.weight.absmax" and "a.b.weight" belong to "a.b".
std::string module_of(const std::string& tensor) {
  const size_t inside = tensor.find(".weight.");
  const size_t at = inside != std::string::npos ? inside : tensor.rfind('.');
  return at == std::string::npos ? std::string() : tensor.substr(0, at);
}

/// Columns sorted by group; nothing when a group is larger or smaller than it should be.
std::vector<int32_t> by_group(const CodedWeight& w) {
  if (w.group_of.empty()) return {};
  std::vector<int64_t> sizes(static_cast<size_t>(w.groups()));
  for (const int32_t group : w.group_of) ++sizes[static_cast<size_t>(group)];
  if (std::ranges::any_of(sizes, [&](int64_t size) { return size != w.group; })) return {};
  std::vector<int32_t> order(w.group_of.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](int32_t c) { return w.group_of[static_cast<size_t>(c)]; });
  return order;
}

}  // namespace

int64_t CodedWeight::rows() const {
  int64_t rows = 1;
  for (size_t i = 0; i + 1 < shape.size(); ++i) rows *= shape[i];
  return rows;
}

Format CodedWeight::format(bool in_order) const {
  for (const Format f : formats) {
    const int64_t block = info(f).block_elements;
    if ((group_of.empty() || (in_order && !order.empty())) && columns() % block == 0 &&
        (group % block == 0 || group >= columns()))
      return f;
  }
  return Format::f32;
}

const TensorEntry& QuantizedModule::entry(std::string_view leaf) const {
  if (const TensorEntry* found = checkpoint_.entry(path(leaf))) return *found;
  throw Error("the quantised module lacks this tensor", {.file = checkpoint_.path(), .field = path(leaf), .offset = {}},
              "download the model again");
}

Tensor QuantizedModule::tensor(std::string_view leaf, std::initializer_list<Format> formats, size_t rank) const {
  const TensorEntry& e = entry(leaf);
  if (std::ranges::find(formats, e.format) == formats.end())
    fail(leaf, "a tensor of this scheme cannot be " + std::string(info(e.format).name));
  if (e.shape.size() != rank)
    fail(leaf, "the tensor has " + std::to_string(e.shape.size()) + " dimensions, not " + std::to_string(rank));
  if (std::ranges::find(e.shape, 0) != e.shape.end()) fail(leaf, "the tensor is empty");
  return checkpoint_.at(path(leaf));
}

Tensor QuantizedModule::shaped(std::string_view leaf, std::initializer_list<Format> formats,
                               const std::vector<int64_t>& shape) const {
  const Tensor found = tensor(leaf, formats, shape.size());
  if (found.shape != shape)
    fail(leaf,
         "the tensor is " + to_string(found.type()) + ", but the weight's other tensors make it " +
             to_string(Type{.shape = Shape(shape.begin(), shape.end()), .format = found.format}),
         "the group size or the number of bits of the config does not fit");
  return found;
}

std::vector<std::string> QuantizedModule::present(std::initializer_list<std::string_view> leaves) const {
  std::vector<std::string> names;
  for (const std::string_view leaf : leaves)
    if (has(leaf)) names.push_back(path(leaf));
  return names;
}

void QuantizedModule::fail(std::string_view leaf, std::string what, std::string advice, int64_t element) const {
  Place place{.file = checkpoint_.file_of(path(leaf)), .field = path(leaf), .offset = {}};
  if (const TensorEntry* e = checkpoint_.entry(path(leaf)))
    place.offset = e->offset + static_cast<uint64_t>(element) * info(e->format).block_bytes;
  throw Error(std::move(what), std::move(place), std::move(advice));
}

std::shared_ptr<const QuantizedCheckpoint> QuantizedCheckpoint::open(const Config& config,
                                                                     std::shared_ptr<const Checkpoint> checkpoint) {
  if (!config.has("quantization_config")) return nullptr;
  const SchemeReader read = reader_of(config.section("quantization_config"));
  std::set<std::string> modules;
  for (const std::string& name : checkpoint->names()) modules.insert(module_of(name));
  const std::shared_ptr<QuantizedCheckpoint> made(new QuantizedCheckpoint(std::move(checkpoint)));
  for (const std::string& name : modules)
    for (CodedWeight& weight : read(QuantizedModule(*made->checkpoint_, name))) made->add(std::move(weight));
  made->finish();
  return made;
}

const CodedWeight* QuantizedCheckpoint::find(std::string_view name) const {
  const auto found = weights_.find(name);
  return found == weights_.end() ? nullptr : &found->second;
}

void QuantizedCheckpoint::add(CodedWeight weight) {
  weight.order = by_group(weight);
  std::string name = weight.name;
  weights_.emplace(std::move(name), std::move(weight));
}

void QuantizedCheckpoint::finish() {
  std::set<std::string> names(checkpoint_->names().begin(), checkpoint_->names().end());
  for (const auto& [name, weight] : weights_)
    for (const std::string& stored : weight.stored) names.erase(stored);
  for (const auto& [name, weight] : weights_) names.insert(name);
  names_.assign(names.begin(), names.end());
}

std::vector<float> floats_of(const Tensor& tensor) {
  std::vector<float> numbers(static_cast<size_t>(tensor.elements()));
  format_ops(tensor.format).decode(tensor.bytes(), numbers);
  return numbers;
}

std::vector<Format> integer_formats(int bits) {
  if (bits <= 4) return {Format::i4_g128, Format::i4_g32, Format::i4_g16};
  return {Format::i8_g128, Format::i8_g32};
}

}  // namespace braid
