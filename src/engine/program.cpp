#include "engine/program.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "ops/ops.h"

namespace braid {

struct Program::Compiled {
  std::unique_ptr<Executable> executable;
  bool bound = false;
};

struct Program::Entry {
  Graph graph;
  bool reads_tokens = false;
  int64_t step_tokens = 0;  // at most
  std::map<std::string, Compiled, std::less<>> by_class;
};

namespace {

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

[[noreturn]] void refuse(std::string what, std::string field, std::string advice) {
  throw UsageError(std::move(what), {.file = {}, .field = std::move(field), .offset = {}}, std::move(advice));
}

void at_least(int64_t least, int64_t value, const char* field) {
  if (value < least)
    refuse(std::to_string(value) + " is too small", field, "give a number from " + std::to_string(least) + " on");
}

void check(const ProgramOptions& options, const Model& model) {
  constexpr int64_t kMost = INT32_MAX;  // token positions and pages are 32-bit numbers on every device
  at_least(1, options.context, "context");
  at_least(1, options.sequences, "sequences");
  at_least(1, options.step_tokens, "step_tokens");
  at_least(0, options.rows, "rows");
  at_least(0, options.pages, "pages");
  at_least(0, options.window_pages, "window_pages");
  at_least(0, options.source_tokens, "source_tokens");
  if (options.context > kMost || options.sequences > kMost / options.context)
    refuse("sequences × context is more than 2^31 tokens", "context", "give a smaller context");
  if (model.max_positions > 0 && options.context > model.max_positions)
    refuse("the context " + std::to_string(options.context) + " is longer than the " +
               std::to_string(model.max_positions) + " positions of " + model.architecture,
           "context", "give at most " + std::to_string(model.max_positions));
}

ProgramOptions checked(ProgramOptions options, const Model& model) {
  check(options, model);
  options.step_tokens = std::min(options.step_tokens, options.sequences * options.context);
  if (options.rows == 0) options.rows = options.sequences;
  if (options.source_tokens == 0) options.source_tokens = options.context;
  return options;
}

/// A step of "encode" takes whole sources: one at least, and as many more as a step of the model may have tokens.
int64_t encode_tokens(const ProgramOptions& options) {
  const int64_t longest = options.source_tokens > 0 ? options.source_tokens : options.context;
  return std::max(longest, std::min(options.step_tokens, options.sequences * longest));
}

EntryOptions entry_options(const ProgramOptions& options) {
  EntryOptions entry{.stateful = options.stateful,
                     .hidden_states = options.hidden_states,
                     .cache = options.rewrite.cache(),
                     .source_tokens = options.source_tokens,
                     .source = options.source};
  entry.max_pages = ceil_div(options.context, entry.page_size);
  return entry;
}

SymbolValues pool_bounds(const ProgramOptions& options, const EntryOptions& entry) {
  SymbolValues bounds;
  bounds[Symbol::tokens] = options.step_tokens;
  bounds[Symbol::sequences] = options.sequences;
  bounds[Symbol::rows] = options.rows;
  bounds[Symbol::pages] = options.pages > 0 ? options.pages : options.sequences * entry.max_pages;
  bounds[Symbol::slots] = bounds[Symbol::source_slots] = options.sequences;
  return bounds;
}

/// The widest window of the attention over a pool of windows; 0: there is none.
int64_t widest_window(const Graph& graph) {
  int64_t widest = 0;
  for (const Node& node : graph.nodes())
    if (node.op == &op::attend && node.attrs.text("cache") == "paged" &&
        graph.type(node.inputs[3])[0] == Dim(Symbol::window_pages))
      widest = std::max(widest, node.attrs.integer("window"));
  return widest;
}

bool has_pool(const Graph& graph, Symbol pool) {
  return std::ranges::any_of(graph.states(), [&](uint32_t n) { return graph.node(n).types[0][0] == Dim(pool); });
}

}  // namespace

Program::Program(Model model, std::shared_ptr<Backend> backend, std::shared_ptr<ParameterSource> source,
                 ProgramOptions options)
    : encode_tokens_(encode_tokens(options)),
      model_(std::move(model)),
      backend_(std::move(backend)),
      options_(checked(std::move(options), model_)),
      entry_options_(entry_options(options_)),
      bounds_(pool_bounds(options_, entry_options_)),
      weights_(std::move(source), backend_->load_runner()) {
  if (!options_.stateful || !has_entry("decode")) return;
  const Graph& decode = graph("decode");
  window_ = widest_window(decode);
  bounds_[Symbol::window_pages] = options_.window_pages > 0 && window_ > 0
                                      ? options_.window_pages
                                      : braid::window_pages({.sequences = options_.sequences,
                                                             .window = window_,
                                                             .step_tokens = options_.step_tokens,
                                                             .page_size = entry_options_.page_size,
                                                             .context = options_.context});
  if (window_ > 0 && !has_pool(decode, Symbol::pages)) bounds_[Symbol::pages] = 0;
}

Program::~Program() = default;

bool Program::has_entry(std::string_view name) const {
  return std::ranges::find(model_.entries, name) != model_.entries.end();
}

Program::Entry& Program::entry(std::string_view name) {
  if (const auto found = entries_.find(name); found != entries_.end()) return *found->second;
  auto made = std::make_unique<Entry>(
      Entry{.graph = model_.build(name, entry_options_), .step_tokens = options_.step_tokens, .by_class = {}});
  made->reads_tokens = std::ranges::any_of(
      made->graph.inputs(), [&](uint32_t n) { return made->graph.node(n).attrs.text("name") == "token_ids"; });
  // An encoder sees what comes after a token, so a source is never cut into steps.
  if (name == "encode") made->step_tokens = encode_tokens_;
  return *entries_.emplace(name, std::move(made)).first->second;
}

const Graph& Program::graph(std::string_view name) { return entry(name).graph; }

bool Program::keeps(std::string_view name, Lifetime lifetime) {
  const Graph& graph = entry(name).graph;
  return std::ranges::any_of(graph.states(), [&](uint32_t n) {
    return graph.node(n).attrs.integer("lifetime") == static_cast<int64_t>(lifetime);
  });
}

std::vector<SizeClass> Program::classes_of(const Entry& entry) const {
  std::vector<SizeClass> classes = backend_->size_classes();
  if (!entry.reads_tokens) return {classes.back()};  // the work does not depend on the number of tokens
  std::vector<SizeClass> reached;
  for (const SizeClass& c : classes) {
    reached.push_back(c);
    if (c.max_tokens >= entry.step_tokens) break;
  }
  return reached;
}

CompileOptions Program::compile_options(const Entry& entry, const SizeClass& size_class) const {
  SymbolValues bounds = bounds_;
  bounds[Symbol::tokens] = entry.step_tokens;
  // A sequence has at least one token in a step, a row belongs to one token.
  for (const Symbol s : {Symbol::tokens, Symbol::sequences, Symbol::rows})
    bounds[s] = std::min(bounds[s], size_class.max_tokens);
  return {.size_class = size_class.name, .bounds = bounds, .rewrite = options_.rewrite, .strict = options_.strict};
}

Program::Compiled& Program::compiled(Entry& entry, const SizeClass& size_class) {
  Compiled& made = entry.by_class[size_class.name];
  if (!made.executable) made.executable = backend_->compile(entry.graph, compile_options(entry, size_class));
  return made;
}

void Program::bind(Compiled& compiled) {
  if (compiled.bound) return;
  const Graph& graph = compiled.executable->graph();
  for (const uint32_t n : graph.states()) {
    const Node& node = graph.node(n);
    const std::string& state = node.attrs.text("name");
    const Type& type = node.types[0];
    Tensor& pool = states_[state];
    pools_[state] = type.shape.front().symbol;
    std::vector<int64_t> shape = sizes_at(type.shape, bounds_);
    if (!pool) {
      pool = {.shape = shape,
              .format = type.format,
              .layout = type.layout,
              .buffer = backend_->allocate(byte_size(type, bounds_))};
    } else if (pool.shape != shape || pool.format != type.format) {
      throw ShapeError("two entries of " + model_.architecture + " give one state two types",
                       {.file = {}, .field = state, .offset = {}});
    }
  }
  compiled.executable->bind(weights_, states_);
  compiled.bound = true;
}

Executable& Program::executable(std::string_view name, int64_t tokens) {
  Entry& e = entry(name);
  const std::vector<SizeClass> classes = classes_of(e);
  const auto fits = std::ranges::find_if(classes, [&](const SizeClass& c) { return tokens <= c.max_tokens; });
  Compiled& made = compiled(e, fits == classes.end() ? classes.back() : *fits);
  bind(made);
  return *made.executable;
}

void Program::copy(const Copies& copies) {
  if (copies.empty()) return;
  const auto of = [&](Symbol pool) -> const std::vector<Copies::Copy>* {
    if (pool == Symbol::slots) return &copies.slots;
    if (pool == Symbol::pages) return &copies.pages[static_cast<size_t>(PageGroup::context)];
    if (pool == Symbol::window_pages) return &copies.pages[static_cast<size_t>(PageGroup::window)];
    return nullptr;
  };
  for (const auto& [state, pool] : pools_)
    if (const auto* list = of(pool))
      for (const Copies::Copy& c : *list) backend_->copy_row(states_.at(state), c.from, c.to);
}

std::vector<NamedTensor> Program::run(std::string_view name, const StepData& step) {
  Executable& e = executable(name, step.sizes[Symbol::tokens]);
  e.prepare(step);
  if (const Status status = e.run(); !status.ok)
    throw Error("a step of " + model_.architecture + " failed: " + status.message,
                {.file = {}, .field = std::string(name), .offset = {}});
  weights_.source().check();
  std::vector<NamedTensor> outputs;
  for (const std::string& output : e.outputs()) outputs.push_back({output, e.output(output)});
  return outputs;
}

MemoryPlan Program::plan() {
  MemoryPlan plan;
  std::set<std::string, std::less<>> counted;  // parameters and states are shared by name
  const auto count = [&](const Graph& graph, const std::vector<uint32_t>& nodes, uint64_t& total) {
    for (const uint32_t n : nodes) {
      const Node& node = graph.node(n);
      const std::string key = std::string(node.op->name) + " " + node.attrs.text("name");
      if (counted.insert(key).second) total += byte_size(node.types[0], bounds_);
    }
  };
  for (const std::string& name : model_.entries) {
    Entry& e = entry(name);
    for (const SizeClass& size_class : classes_of(e)) {
      const Executable& executable = *compiled(e, size_class).executable;
      count(executable.graph(), executable.graph().parameters(), plan.weights_bytes);
      count(executable.graph(), executable.graph().states(), plan.state_bytes);
      plan.arena_bytes += executable.arena_bytes();
    }
  }
  return plan;
}

std::vector<Receipt> Program::receipts() const {
  std::vector<Receipt> receipts;
  for (const auto& [name, entry] : entries_)
    for (const auto& [size_class, compiled] : entry->by_class)
      if (compiled.executable) receipts.push_back(compiled.executable->receipt());
  return receipts;
}

}  // namespace braid
