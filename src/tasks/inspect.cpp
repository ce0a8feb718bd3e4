#include "tasks/inspect.h"

#include <bit>
#include <set>

#include "core/parallel.h"
#include "files/gguf_architectures.h"
#include "files/sha256.h"
#include "formats/formats.h"
#include "ir/op.h"

namespace braid {
namespace {

EntryDescription describe_entry(const std::string& name, const Graph& graph, int64_t page_size) {
  EntryDescription entry{
      .name = name, .nodes = static_cast<int64_t>(graph.nodes().size()), .inputs = {}, .outputs = {}, .states = {}};
  for (const uint32_t n : graph.inputs())
    entry.inputs.emplace_back(graph.node(n).attrs.text("name"), to_string(graph.node(n).types[0]));
  for (const Graph::Output& out : graph.outputs())
    entry.outputs.emplace_back(out.name, to_string(graph.type(out.value)));
  SymbolValues one;  // of each pool
  for (const Symbol s : {Symbol::pages, Symbol::window_pages, Symbol::slots, Symbol::source_slots}) one[s] = 1;
  for (const uint32_t n : graph.states()) {
    const Node& state = graph.node(n);
    const auto lifetime = static_cast<Lifetime>(state.attrs.integer("lifetime"));
    const uint64_t bytes = byte_size(state.types[0], one);
    entry.states.push_back({.name = state.attrs.text("name"),
                            .type = to_string(state.types[0]),
                            .lifetime = std::string(braid::name(lifetime)),
                            .bytes = lifetime == Lifetime::token ? bytes / static_cast<uint64_t>(page_size) : bytes});
  }
  return entry;
}

/// Each matrix turned, as f32.
Tensor transposed(const Tensor& x) {
  std::vector<int64_t> shape = x.shape;
  const int64_t columns = x.last(), rows = shape[shape.size() - 2];
  std::swap(shape[shape.size() - 1], shape[shape.size() - 2]);
  Tensor y = Tensor::make(shape, Format::f32);
  std::vector<float> row(static_cast<size_t>(columns));
  for (int64_t r = 0; r < x.rows(); ++r) {
    decode_row(x, r, row);
    float* to = y.data<float>() + r / rows * rows * columns + r % rows;
    for (int64_t c = 0; c < columns; ++c) to[c * rows] = row[static_cast<size_t>(c)];
  }
  return y;
}

}  // namespace

ModelDescription describe(LoadedModel& model) {
  Program& program = *model.program;
  ModelDescription d;
  d.family = program.model().family;
  d.architecture = program.model().architecture;
  d.vocabulary = program.model().vocabulary;
  d.max_positions = program.model().max_positions;
  if (model.checkpoint) d.checkpoint_bytes = model.checkpoint->data_bytes();
  std::set<std::string> seen;
  for (const std::string& entry : program.model().entries) {
    const Graph& graph = program.graph(entry);
    d.entries.push_back(describe_entry(entry, graph, program.page_size()));
    for (const uint32_t n : graph.parameters()) {
      const Node& parameter = graph.node(n);
      if (!seen.insert(parameter.attrs.text("name")).second) continue;
      const int64_t count = element_count(parameter.types[0].shape, {});
      d.parameters += count;
      d.formats[std::string(info(parameter.types[0].format).name)] += count;
    }
  }
  if (model.checkpoint)
    for (const std::string& name : model.quantised ? model.quantised->names() : model.checkpoint->names())
      if (!seen.contains(name) && !seen.contains(name + std::string(kReordered))) d.unread.push_back(name);
  return d;
}

std::vector<TensorDescription> describe_tensors(const LoadedModel& model, bool checksums) {
  std::vector<TensorDescription> tensors;
  if (!model.checkpoint) return tensors;
  const Checkpoint& checkpoint = *model.checkpoint;
  // A GGUF file's tensors are what they are, factors apart.
  const QuantizedCheckpoint* quantised = checkpoint.gguf() ? nullptr : model.quantised.get();
  const std::vector<std::string>& names = quantised != nullptr ? quantised->names() : checkpoint.names();
  for (const std::string& name : names) {
    const CodedWeight* weight = quantised != nullptr ? quantised->find(name) : nullptr;
    if (weight == nullptr) {
      const TensorEntry& entry = *checkpoint.entry(name);
      tensors.push_back({name, entry.format, entry.shape, entry.bytes, {}});
      continue;
    }
    uint64_t bytes = 0;
    for (const std::string& stored : weight->stored) bytes += checkpoint.entry(stored)->bytes;
    TensorDescription d{name, weight->format(!weight->order.empty()), weight->shape, bytes, {}};
    if (weight->transposed) {
      d.name.resize(d.name.size() - kTransposed.size());
      std::swap(d.shape[d.shape.size() - 1], d.shape[d.shape.size() - 2]);
    }
    tensors.push_back(std::move(d));
  }
  const auto hash = [&](size_t i) {
    const CodedWeight* weight = quantised != nullptr ? quantised->find(names[i]) : nullptr;
    if (weight == nullptr) return checksum(checkpoint.at(names[i]));
    const Tensor made = quantised->make(*weight);
    return checksum(weight->transposed ? transposed(made) : made);
  };
  if (checksums) parallel_for(tensors.size(), [&](size_t i) { tensors[i].sha256 = hash(i); });
  checkpoint.check();
  return tensors;
}

std::string checksum(const Tensor& tensor) {
  static_assert(std::endian::native == std::endian::little);
  Sha256 hash;
  std::vector<float> row(static_cast<size_t>(tensor.last()));
  for (int64_t r = 0; !row.empty() && r < tensor.rows(); ++r) {
    decode_row(tensor, r, row);
    for (float& x : row) x += 0.0f;  // -0 + 0 is 0; every other number stays as it is
    hash.update(std::as_bytes(std::span(row)));
  }
  return hash.finish();
}

}  // namespace braid
