#include "golden/golden_case.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "core/json.h"
#include "support/kit.h"

namespace braid::test {
namespace {

std::string folder_of(const std::string& path) {
  const auto folder = kit_path(path);
  if (!folder) throw std::runtime_error(kit_missing(path));
  return folder->string();
}

TensorIndex index_of(const Checkpoint& weights) {
  return {.file = weights.path(),
          .names = weights.names(),
          .find = [&weights](std::string_view name) -> std::optional<Type> {
            const auto tensor = weights.find(name);
            return tensor ? std::optional(tensor->type()) : std::nullopt;
          },
          .random = {}};
}

Tensor integers(const std::vector<int32_t>& values, std::vector<int64_t> shape = {}) {
  if (shape.empty()) shape = {static_cast<int64_t>(values.size())};
  return Tensor::of(std::move(shape), std::span<const int32_t>(values));
}

void extend(std::vector<int32_t>& list, const std::vector<int32_t>& more) {
  list.insert(list.end(), more.begin(), more.end());
}

}  // namespace

GoldenCase::GoldenCase(const std::string& path, Purpose purpose)
    : folder_(folder_of(path)),
      weights_(Checkpoint::open(folder_)),
      answers_(Checkpoint::open(folder_ + "/golden.safetensors")),
      index_(index_of(weights_)),
      model_(std::make_unique<Model>(make_model(Config::read(folder_), index_, purpose))) {}

std::vector<int32_t> GoldenCase::ids(const std::string& name, size_t count, int32_t otherwise) const {
  if (!has_input(name)) return std::vector<int32_t>(count, otherwise);
  const Tensor x = input(name);
  const std::span<const int64_t> wide(x.data<int64_t>(), static_cast<size_t>(x.elements()));
  return {wide.begin(), wide.end()};
}

std::vector<std::string> GoldenCase::outputs() const {
  std::vector<std::string> names;
  for (const std::string& name : answers_.names())
    if (name.starts_with("out.")) names.push_back(name.substr(4));
  return names;
}

Greedy GoldenCase::greedy() const {
  const JsonDocument document = JsonDocument::read(folder_ + "/golden.json");
  const auto json = document.root().find("greedy");
  if (!json) return {};
  Greedy greedy;
  const auto numbers = [](const Json& list) {
    std::vector<int32_t> values;
    for (size_t i = 0; i < list.size(); ++i) values.push_back(static_cast<int32_t>(list[i].as_int()));
    return values;
  };
  greedy.tokens = numbers(json->at("tokens"));
  if (json->at("prompt").is_array()) {
    greedy.prompt = numbers(json->at("prompt"));
  } else {  // the first ids of row 0 of an input
    const auto all = ids(std::string(json->at("input").as_string()), 0, 0);
    greedy.prompt.assign(all.begin(), all.begin() + json->at("prompt").as_int());
    const Json sources = json->at("first_rows_of");
    greedy.sources = sources.size() > 0 ? sources.value(0).as_int() : 1;
  }
  return greedy;
}

std::vector<std::string> golden_cases() {
  std::vector<std::string> cases;
  for (const std::string kind : {"text", "media"}) {
    for (const std::string& name : kit_names("golden/" + kind)) {
      const auto config = kit_path("golden/" + kind + "/" + name + "/config.json");
      if (!config) continue;
      const std::string type = Config::read(config->string()).string_or("model_type", "");
      if (find_family(type) != nullptr) cases.push_back(kind + "/" + name);
    }
  }
  return cases;
}

std::vector<std::string> golden_cases(const std::vector<std::string>& tasks) {
  std::vector<std::string> cases = golden_cases();
  std::erase_if(cases, [&](const std::string& name) { return std::ranges::find(tasks, task_of(name)) == tasks.end(); });
  return cases;
}

std::string task_of(const std::string& name) {
  const JsonDocument document = JsonDocument::read(folder_of("golden/" + name) + "/golden.json");
  const auto task = document.root().find("task");
  return task ? std::string(task->as_string()) : "";
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param.substr(info.param.find('/') + 1);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

Batch batch_of(const GoldenCase& golden, const std::string& name) {
  const Tensor shape = golden.input(name);
  Batch batch{.spans = {}, .places = {}, .rows = shape.shape[0], .columns = shape.shape[1]};
  const auto count = static_cast<size_t>(batch.rows * batch.columns);
  const bool decoder = name.starts_with("decoder_");
  const auto ids = golden.ids(name, count, 0),
             mask = golden.ids(decoder ? "decoder_attention_mask" : "attention_mask", count, 1),
             segments = golden.ids("token_type_ids", count, 0), positions = golden.ids("position_ids", count, -1);
  for (int64_t r = 0; r < batch.rows; ++r) {
    Span span{.sequence = static_cast<int32_t>(r), .context = 0, .tokens = {}, .positions = {}, .segments = {}};
    for (int64_t c = 0; c < batch.columns; ++c) {
      const auto i = static_cast<size_t>(r * batch.columns + c);
      if (mask[i] == 0) continue;
      span.tokens.push_back(ids[i]);
      span.segments.push_back(segments[i]);
      span.positions.push_back(positions[i] < 0 ? static_cast<int32_t>(c) : positions[i]);
      batch.places.push_back(static_cast<int64_t>(i));
    }
    if (golden.model().position_padding && !golden.has_input("position_ids"))
      span.positions = default_positions(golden.model(), span.tokens);
    batch.spans.push_back(std::move(span));
  }
  return batch;
}

OracleModel::OracleModel(const GoldenCase& golden, const EntryOptions& options, int64_t sequences)
    : golden_(golden), options_(options), sequences_(sequences) {
  for (const std::string& name : golden.model().entries) {
    const Graph& graph = entries_.emplace(name, golden.model().build(name, options_)).first->second.graph();
    SymbolValues sizes;
    sizes[Symbol::pages] = sizes[Symbol::window_pages] = sequences_ * options_.max_pages;
    sizes[Symbol::slots] = sizes[Symbol::source_slots] = sequences_;
    for (const uint32_t n : graph.states()) {
      const Type& type = graph.node(n).types.front();
      Tensor pool = Tensor::make(sizes_at(type.shape, sizes), type.format);
      std::fill_n(pool.data<float>(), pool.elements(), std::numeric_limits<float>::quiet_NaN());
      states_.emplace(graph.node(n).attrs.text("name"), std::move(pool));
    }
  }
}

OracleModel::Outputs OracleModel::step(const std::string& entry, const std::vector<Span>& spans) {
  std::vector<int32_t> tokens, positions, segments, starts{0}, context, slots, pages;
  for (const Span& span : spans) {
    extend(tokens, span.tokens);
    std::vector<int32_t> places(span.tokens.size());
    std::iota(places.begin(), places.end(), span.context);
    extend(positions, span.positions.empty() ? places : span.positions);
    extend(segments, span.segments.empty() ? std::vector<int32_t>(places.size(), 0) : span.segments);
    starts.push_back(static_cast<int32_t>(tokens.size()));
    context.push_back(span.context);
    slots.push_back(span.sequence);
    // Pages of a sequence lie apart and out of order, as in a server that has run for a while.
    for (int64_t p = options_.max_pages; p > 0; --p)
      pages.push_back(static_cast<int32_t>((p - 1) * sequences_ + span.sequence));
  }
  std::vector<int32_t> rows(tokens.size());
  std::iota(rows.begin(), rows.end(), 0);
  SymbolValues sizes;
  const auto count = static_cast<int64_t>(spans.size());
  sizes[Symbol::tokens] = sizes[Symbol::rows] = static_cast<int64_t>(tokens.size());
  sizes[Symbol::sequences] = count;
  return run(entry, sizes,
             {{"token_ids", integers(tokens)},
              {"positions", integers(positions)},
              {"token_type_ids", integers(segments)},
              {"span_start", integers(starts)},
              {"rows", integers(rows)},
              {"context", integers(context)},
              {"slots", integers(slots)},
              {"source_slot", integers(slots)},
              {"page_table", integers(pages, {count, options_.max_pages})},
              {"window_table", integers(pages, {count, options_.max_pages})}});
}

OracleModel::Outputs OracleModel::step(const std::string& entry, const std::string& input, const Tensor& media) {
  SymbolValues sizes;
  sizes[Symbol::sequences] = media.shape[0];
  std::vector<int32_t> slots(static_cast<size_t>(media.shape[0]));
  std::iota(slots.begin(), slots.end(), 0);
  return run(entry, sizes, {{input, media}, {"source_slot", integers(slots)}});
}

OracleModel::Outputs OracleModel::run(const std::string& entry, const SymbolValues& sizes,
                                      std::map<std::string, Tensor> inputs) {
  const oracle::Interpreter& program = entries_.at(entry);
  oracle::Feeds feeds{
      .sizes = sizes,
      .inputs = {},
      .parameters = oracle::parameters_by_name([&](std::string_view name) { return golden_.weights().at(name); }),
      .states = std::move(states_)};
  feeds.sizes[Symbol::pages] = feeds.sizes[Symbol::window_pages] = sequences_ * options_.max_pages;
  feeds.sizes[Symbol::slots] = feeds.sizes[Symbol::source_slots] = sequences_;
  for (const uint32_t n : program.graph().inputs()) {
    const std::string& name = program.graph().node(n).attrs.text("name");
    feeds.inputs.emplace(name, inputs.at(name));
  }
  Outputs outputs;
  for (NamedTensor& out : program.run(feeds)) outputs.emplace(std::move(out.name), std::move(out.tensor));
  states_ = std::move(feeds.states);
  return outputs;
}

double relative_error(const Tensor& a, const Tensor& b) {
  if (a.elements() != b.elements() || a.format != Format::f32 || b.format != Format::f32)
    return std::numeric_limits<double>::infinity();
  double difference = 0, norm = 0;
  for (int64_t i = 0; i < a.elements(); ++i) {
    const double x = a.data<float>()[i], y = b.data<float>()[i];
    difference += (x - y) * (x - y);
    norm += y * y;
  }
  const double error = std::sqrt(difference / norm);
  return std::isfinite(error) ? error : std::numeric_limits<double>::infinity();
}

Tensor rows_at(const Tensor& x, int leading, const std::vector<int64_t>& places) {
  int64_t width = 1;
  for (size_t i = static_cast<size_t>(leading); i < x.shape.size(); ++i) width *= x.shape[i];
  Tensor rows = Tensor::make({static_cast<int64_t>(places.size()), width}, Format::f32);
  float* to = rows.data<float>();
  for (const int64_t place : places) to = std::copy_n(x.data<float>() + place * width, width, to);
  return rows;
}

int32_t argmax(const Tensor& logits, int64_t row) {
  const float* first = logits.data<float>() + row * logits.last();
  return static_cast<int32_t>(std::max_element(first, first + logits.last()) - first);
}

}  // namespace braid::test
