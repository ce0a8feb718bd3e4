#include "backend/cpu/executable.h"

#include <algorithm>
#include <cstring>

#include "backend/cpu/steps/steps.h"
#include "backend/cpu/tile.h"
#include "core/error.h"
#include "ops/ops.h"

namespace braid::cpu {
namespace {

constexpr double kSlow = 4.0;  // relative time from which a kernel is a fallback that the user is told of

bool meant_for(const KernelEntry& entry, const Node& node) {
  if (&entry == &kInterpret) return true;
  if (&entry == &kTile || &entry == &kInteger) return TileProgram::knows(node.op);
  if (&entry == &kReduce) return node.op == &op::reduce_sum || node.op == &op::reduce_max;
  if (entry.op == "contract") return node.op == &op::contract || node.op == &op::fused;
  return node.op->name == entry.op;
}

std::string formats_text(const Graph& graph, const Node& node) {
  std::vector<std::string_view> seen;
  std::string text;
  for (ValueId v : node.inputs) {
    const std::string_view name = info(graph.type(v).format).name;
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
    seen.push_back(name);
    text += (text.empty() ? "" : " × ") + std::string(name);
  }
  return text + " → " + std::string(info(node.types.front().format).name);
}

std::string origin_text(const Origin& origin) {
  std::string text;
  for (const auto& scope : origin.scopes) text += (text.empty() ? "" : " + ") + scope;
  return text;
}

/// The weights' formats, what they are multiplied with, and by which instructions.
std::string compute_text(const Graph& graph, const Kernels& kernels) {
  std::vector<std::string> parts;
  for (const Node& node : graph.nodes()) {
    const Graph* body = node.op == &op::fused ? &node.attrs.graph("body") : nullptr;
    const Graph& where = body != nullptr ? *body : graph;
    auto visit = [&](const Node& contract) {
      if (contract.op != &op::contract || where.type(contract.inputs[1]).rank() != 2) return;
      const Format x = where.type(contract.inputs[0]).format;
      for (size_t i = contract.attrs.integer_or("grouped", 0) != 0 ? 2 : 1; i < contract.inputs.size(); ++i) {
        std::string part = std::string(info(where.type(contract.inputs[i]).format).name) + " weights × " +
                           std::string(info(x).name) + " activations";
        if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(part);
      }
    };
    if (body != nullptr)
      for (const Node& inner : body->nodes()) visit(inner);
    else
      visit(node);
  }
  std::string text;
  for (const auto& part : parts) text += part + ", ";
  return text + "f32 accumulators, " + kernels.name;
}

}  // namespace

const KernelEntry* choose_kernel(const StepRequest& request, std::vector<ReceiptLine::Rejected>* rejected) {
  for (const KernelEntry* entry : kernel_entries()) {
    if (!meant_for(*entry, request.node)) continue;
    std::string why = entry->rejects(request);
    if (why.empty()) return entry;
    if (rejected != nullptr) rejected->push_back({std::string(entry->name), std::move(why)});
  }
  return nullptr;
}

CpuExecutable::CpuExecutable(Graph graph, const CompileOptions& options, const Kernels& kernels,
                             std::shared_ptr<Team> team)
    : graph_(std::move(graph)), options_(options), team_(std::move(team)), plan_(plan_arena(graph_, options.bounds)) {
  receipt_.device = "cpu";
  receipt_.size_class = options.size_class;
  receipt_.compute = compute_text(graph_, kernels);
  for (uint32_t n = 0; n < graph_.nodes().size(); ++n) {
    const Node& node = graph_.node(n);
    ValueId of;
    if (node.op->kind == Kind::leaf ||
        (node.op != &op::scatter && node.types.size() == 1 && is_view(graph_, {n, 0}, &of)))
      continue;
    const StepRequest request{graph_, node, kernels, options.bounds, team_->size()};
    ReceiptLine line;
    const KernelEntry* entry = choose_kernel(request, &line.rejected);
    const std::string where = "%" + std::to_string(n) + " " + std::string(node.op->name);
    if (entry == nullptr)
      throw Error("no CPU kernel takes " + where, {.file = {}, .field = origin_text(node.origin), .offset = {}});
    line.node = where;
    line.origin = origin_text(node.origin);
    line.kernel = std::string(entry->name) + "." + kernels.name + "." + options.size_class;
    line.formats = formats_text(graph_, node);
    line.order = entry->order;
    line.cost = cost(graph_, node, options.bounds);
    line.slow = entry->relative_time > kSlow;
    if (line.slow && options.strict)
      throw Error("a slow fallback (" + std::string(entry->name) + ") would run " + where,
                  {.file = {}, .field = line.origin, .offset = {}}, "run without --strict to allow it");
    steps_.push_back(entry->make(request));
    step_nodes_.push_back(n);
    receipt_.lines.push_back(std::move(line));
    Step& step = *steps_.back();
    for (ValueId v : node.inputs) {
      step.in.emplace_back();
      step.in.back().type = graph_.type(v);
    }
    for (const Type& type : node.types) {
      step.out.emplace_back();
      step.out.back().type = type;
    }
    scratch_bytes_ = std::max<uint64_t>(scratch_bytes_, (step.scratch_bytes() + 63) / 64 * 64);
  }
}

std::byte* CpuExecutable::address(ValueId value) const {
  const Residence place = plan_.at(value);
  if (place.where == Residence::Where::arena) return arena_->data() + place.offset;
  return leaves_[place.leaf].bytes();
}

void CpuExecutable::bind(WeightStore& weights, StateMap& states) {
  leaves_.assign(graph_.nodes().size(), {});
  for (uint32_t n : graph_.parameters()) {
    leaves_[n] = weights.get(graph_.node(n));
    const Type& wanted = graph_.node(n).types.front();
    if (leaves_[n].shape != sizes_at(wanted.shape, options_.bounds) || leaves_[n].format != wanted.format ||
        leaves_[n].layout != wanted.layout)
      throw Error("tensor is " + to_string(leaves_[n].type()) + " where the graph wants " + to_string(wanted),
                  {.file = {}, .field = graph_.node(n).attrs.text("name"), .offset = {}});
  }
  for (uint32_t n : graph_.states()) {
    const std::string& name = graph_.node(n).attrs.text("name");
    auto it = states.find(name);
    if (it == states.end()) throw Error("state is not bound", {.file = {}, .field = name, .offset = {}});
    if (it->second.shape != sizes_at(graph_.node(n).types.front().shape, options_.bounds))
      throw Error("state has another size", {.file = {}, .field = name, .offset = {}});
    leaves_[n] = it->second;
  }
  for (uint32_t n = 0; n < graph_.nodes().size(); ++n)
    if (graph_.node(n).op == &op::constant) leaves_[n] = graph_.node(n).attrs.tensor("value");
  arena_ = Buffer::allocate(arena_bytes());
  for (size_t i = 0; i < steps_.size(); ++i) {
    const Node& node = graph_.node(step_nodes_[i]);
    for (size_t k = 0; k < node.inputs.size(); ++k) steps_[i]->in[k].data = address(node.inputs[k]);
    for (uint32_t r = 0; r < node.types.size(); ++r) steps_[i]->out[r].data = address({step_nodes_[i], r});
  }
}

void CpuExecutable::prepare(const StepData& step) {
  for (int s = 1; s < kSymbols; ++s) {
    const auto symbol = static_cast<Symbol>(s);
    if (step.sizes[symbol] > options_.bounds[symbol])
      throw Error("a step of " + std::to_string(step.sizes[symbol]) + " " + std::string(name(symbol)) +
                  " exceeds the bound of " + std::to_string(options_.bounds[symbol]));
  }
  sizes_ = step.sizes;
  for (Symbol pool : {Symbol::pages, Symbol::window_pages, Symbol::slots, Symbol::source_slots})
    sizes_[pool] = options_.bounds[pool];
  for (uint32_t n : graph_.inputs()) {
    const Node& node = graph_.node(n);
    const std::string& name = node.attrs.text("name");
    const auto it = std::find_if(step.inputs.begin(), step.inputs.end(),
                                 [&](const NamedTensor& input) { return input.name == name; });
    if (it == step.inputs.end()) throw Error("a step input is missing", {.file = {}, .field = name, .offset = {}});
    const std::vector<int64_t> shape = sizes_at(node.types.front().shape, sizes_);
    if (it->tensor.shape != shape || it->tensor.format != node.types.front().format)
      throw Error(
          "a step input is " + to_string(it->tensor.type()) + " where the graph wants " + to_string(node.types.front()),
          {.file = {}, .field = name, .offset = {}});
    std::memcpy(address({n, 0}), it->tensor.bytes(), it->tensor.byte_size());
  }
  check_indices(step);
  for (auto& s : steps_) s->begin(sizes_);
}

/// What kernels index with must lie inside: spans, page tables, slots, and lookups by step inputs.
void CpuExecutable::check_indices(const StepData&) const {
  auto fail = [](std::string what, const std::string& name) -> void {
    throw Error(std::move(what), {.file = {}, .field = name, .offset = {}});
  };
  auto values = [&](std::string_view name) -> std::span<const int32_t> {
    for (uint32_t n : graph_.inputs())
      if (graph_.node(n).attrs.text("name") == name)
        return {reinterpret_cast<const int32_t*>(address({n, 0})),
                static_cast<size_t>(element_count(graph_.node(n).types.front().shape, sizes_))};
    return {};
  };
  const auto spans = values("span_start");
  if (!spans.empty()) {
    bool good = spans.front() == 0 && spans.back() == sizes_[Symbol::tokens];
    for (size_t s = 0; s + 1 < spans.size(); ++s) good &= spans[s] <= spans[s + 1];
    if (!good) fail("spans do not cut the step's tokens", "span_start");
  }
  auto within = [&](std::string_view name, int64_t count) {
    for (int32_t v : values(name))
      if (v < 0 || v >= count)
        fail("index " + std::to_string(v) + " is outside 0 … " + std::to_string(count - 1), std::string(name));
  };
  within("rows", std::max<int64_t>(sizes_[Symbol::tokens], 1));
  within("slots", sizes_[Symbol::slots]);
  within("source_slot", sizes_[Symbol::source_slots]);
  const auto context = values("context");
  std::vector<uint32_t> checked;  // tables: many attention nodes read the same
  for (const uint32_t n : step_nodes_) {
    const Node& node = graph_.node(n);
    if (node.op != &op::attend || node.attrs.text("cache") != "paged") continue;
    const Node& input = graph_.node(node.inputs[7].node);
    if (std::ranges::find(checked, node.inputs[7].node) != checked.end()) continue;
    checked.push_back(node.inputs[7].node);
    const std::string& name = input.attrs.text("name");
    const auto table = values(name);
    const int64_t page_size = graph_.type(node.inputs[3])[3].number(), pool = graph_.type(node.inputs[3])[0].at(sizes_);
    const size_t width = table.size() / (spans.size() - 1);
    for (size_t s = 0; s + 1 < spans.size(); ++s) {
      const int64_t pages = (context[s] + spans[s + 1] - spans[s] + page_size - 1) / page_size;
      if (context[s] < 0 || pages > static_cast<int64_t>(width)) fail("a sequence is longer than its page table", name);
      for (int64_t p = 0; p < pages; ++p)
        if (const int32_t page = table[s * width + static_cast<size_t>(p)]; page < 0 || page >= pool)
          fail("page " + std::to_string(page) + " is outside the pool", name);
    }
  }
  for (uint32_t n = 0; n < graph_.nodes().size(); ++n) {
    const Node& node = graph_.node(n);
    if (node.op != &op::gather || graph_.node(node.inputs[1]).op != &op::input) continue;
    const auto& table_type = graph_.type(node.inputs[0]);
    int64_t rows = 1;
    for (int64_t d = 0; d < node.attrs.integer_or("leading", 1); ++d)
      rows *= table_type[static_cast<size_t>(d)].at(sizes_);
    within(graph_.node(node.inputs[1]).attrs.text("name"), rows);
  }
}

Status CpuExecutable::run() noexcept {
  std::byte* const scratch = arena_->data() + plan_.bytes;
  team_->run([&](int index) {
    const Worker worker{index, team_->size(), team_.get(), scratch + static_cast<size_t>(index) * scratch_bytes_};
    for (size_t i = 0; i < steps_.size(); ++i) {
      steps_[i]->run(worker);
      if (i + 1 < steps_.size()) team_->barrier();
    }
  });
  return {};
}

std::vector<std::string> CpuExecutable::outputs() const {
  std::vector<std::string> names;
  for (const auto& output : graph_.outputs()) names.push_back(output.name);
  return names;
}

Tensor CpuExecutable::output(std::string_view name) const {
  for (const auto& output : graph_.outputs()) {
    if (output.name != name) continue;
    const Type& type = graph_.type(output.value);
    const Residence place = plan_.at(output.value);
    Tensor tensor{sizes_at(type.shape, sizes_), type.format, type.layout, arena_, place.offset};
    if (place.where != Residence::Where::arena) {
      const Tensor& leaf = leaves_[place.leaf];
      tensor.buffer = leaf.buffer;
      tensor.offset = leaf.offset;
    }
    return tensor;
  }
  throw Error("no output of this name", {.file = {}, .field = std::string(name), .offset = {}});
}

}  // namespace braid::cpu
