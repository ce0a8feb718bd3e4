#include "tasks/texts.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "text/unicode/utf8.h"

namespace braid {
namespace {

constexpr int64_t kSequences = 16, kStepTokens = 512;

/// Sequences of one step: indices into all of them.
using Step = std::vector<size_t>;

std::vector<Step> steps_of(const Program& program, std::span<const Sequence> sequences) {
  const ProgramOptions& options = program.options();
  std::vector<size_t> order(sequences.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&](size_t i) { return sequences[i].encoding.ids.size(); });
  std::vector<Step> steps;
  int64_t tokens = 0, rows = 0;
  for (const size_t i : order) {
    const auto more = static_cast<int64_t>(sequences[i].encoding.ids.size()), more_rows = std::ssize(sequences[i].rows);
    const bool full = steps.empty() || std::ssize(steps.back()) == options.sequences ||
                      tokens + more > options.step_tokens || rows + more_rows > options.rows;
    if (full) {
      steps.emplace_back();
      tokens = rows = 0;
    }
    steps.back().push_back(i);
    tokens += more;
    rows += more_rows;
  }
  return steps;
}

StepData step_data(const Model& model, std::span<const Sequence> sequences, const Step& step) {
  std::vector<int32_t> ids, types, positions, rows, spans{0};
  for (const size_t i : step) {
    const Sequence& s = sequences[i];
    for (const int32_t row : s.rows) rows.push_back(spans.back() + row);
    std::ranges::copy(s.encoding.ids, std::back_inserter(ids));
    std::ranges::copy(s.encoding.type_ids, std::back_inserter(types));
    std::ranges::copy(default_positions(model, s.encoding.ids), std::back_inserter(positions));
    spans.push_back(static_cast<int32_t>(ids.size()));
  }
  if (rows.empty()) rows.push_back(0);  // for entries that read rows although nobody wants their logits
  StepData data;
  data.sizes[Symbol::tokens] = std::ssize(ids);
  data.sizes[Symbol::sequences] = std::ssize(step);
  data.sizes[Symbol::rows] = std::ssize(rows);
  const auto add = [&](const char* name, const std::vector<int32_t>& values) {
    data.inputs.push_back({name, Tensor::of({std::ssize(values)}, std::span(values))});
  };
  add("token_ids", ids);
  add("positions", positions);
  add("token_type_ids", types);
  add("span_start", spans);
  add("rows", rows);
  return data;
}

/// How many rows of an output belong to a sequence.
size_t rows_of(const Dim& first, const Sequence& sequence) {
  if (first.symbol == Symbol::tokens) return sequence.encoding.ids.size();
  if (first.symbol == Symbol::rows) return sequence.rows.size();
  return 1;
}

}  // namespace

LoadOptions text_options(LoadOptions base, int64_t rows) {
  base.stateful = false;
  base.sequences = kSequences;
  base.step_tokens = std::max(kStepTokens, base.context > 0 ? base.context : kDefaultContext);
  base.rows = rows;
  return base;
}

int64_t longest_text(const LoadedModel& model) { return model.program->options().context; }

Sequence sequence_of(const LoadedModel& model, std::string_view text, int64_t most,
                     std::optional<std::string_view> pair) {
  const Tokenizer& tokenizer = model.need_tokenizer();
  Sequence sequence{.encoding = tokenizer.encode(text, {.pair = pair})};
  Encoding& all = sequence.encoding;
  const auto limit = static_cast<size_t>(most);
  if (all.ids.size() <= limit) return sequence;
  const size_t over = all.ids.size() - limit;
  const std::vector<int32_t> last = tokenizer.encode(pair.value_or(text), {.add_special = false}).ids;
  const auto place = std::ranges::find_end(all.ids, last);  // special tokens may follow it
  if (place.empty() || over >= last.size())
    throw UsageError("the text does not fit into " + std::to_string(most) + " tokens however short it is cut",
                     {.file = model.place.folder, .field = {}, .offset = {}},
                     pair ? "give a shorter first text" : "give a larger context");
  const std::ptrdiff_t end = place.end() - all.ids.begin(), begin = end - static_cast<std::ptrdiff_t>(over);
  const auto cut = [&](auto& list) { list.erase(list.begin() + begin, list.begin() + end); };
  cut(all.ids);
  cut(all.offsets);
  cut(all.type_ids);
  return sequence;
}

void check_length(const LoadedModel& model, const Sequence& sequence, size_t index) {
  const int64_t most = longest_text(model), tokens = std::ssize(sequence.encoding.ids);
  if (tokens == 0) throw UsageError("text " + std::to_string(index + 1) + " has no tokens");
  if (tokens <= most) return;
  throw UsageError("text " + std::to_string(index + 1) + " has " + std::to_string(tokens) +
                       " tokens, the model reads at most " + std::to_string(most),
                   {.file = model.place.folder, .field = {}, .offset = {}}, "give a shorter text");
}

void run_sequences(Program& program, std::span<const Sequence> sequences, std::string_view output,
                   const std::function<void(const SequenceOutput&)>& take) {
  if (!program.has_entry("forward"))
    throw UsageError(program.model().architecture + " does not read whole texts", {}, "take an encoder");
  const Graph& graph = program.graph("forward");
  const auto known = std::ranges::find(graph.outputs(), output, &Graph::Output::name);
  if (known == graph.outputs().end())
    throw UsageError(program.model().architecture + " gives no " + std::string(output),
                     {.file = {}, .field = "architectures", .offset = {}}, "take a model with the head for this task");
  const Type& type = graph.type(known->value);
  for (const Step& step : steps_of(program, sequences)) {
    const std::vector<NamedTensor> outputs = program.run("forward", step_data(program.model(), sequences, step));
    const Tensor& all = std::ranges::find(outputs, output, &NamedTensor::name)->tensor;
    const int64_t width = type.rank() > 1 ? all.last() : 1;
    const float* at = all.data<float>();
    for (const size_t i : step) {
      const size_t count = rows_of(type[0], sequences[i]) * static_cast<size_t>(width);
      take({.index = i, .values = {at, count}, .width = width});
      at += count;
    }
  }
}

std::string characters(std::string_view text, int64_t begin, int64_t end) {
  size_t at = 0, first = 0;
  for (int64_t i = 0; i < end && at < text.size(); ++i) {
    if (i == begin) first = at;
    at += utf8::length(text[at]);
  }
  return begin >= end ? std::string() : std::string(text.substr(first, at - first));
}

bool is_added(const Encoding& encoding, size_t token) {
  return encoding.offsets[token].first == encoding.offsets[token].second;
}

void softmax(std::span<float> x) {
  const float most = *std::ranges::max_element(x);
  float total = 0;
  for (float& v : x) total += v = std::exp(v - most);
  for (float& v : x) v /= total;
}

}  // namespace braid
