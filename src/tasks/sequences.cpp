#include "tasks/sequences.h"

#include <algorithm>

#include "core/error.h"

namespace braid {

Sequences::Sequences(Program& program, int64_t count)
    : program_(program),
      count_(count),
      pages_each_((program.options().context + program.page_size() - 1) / program.page_size()) {
  if (!program.has_entry("decode") || program.has_entry("encode"))
    throw Error("a model of the family " + program.model().family + " does not write on from a text",
                {.file = {}, .field = program.model().architecture, .offset = {}},
                "this needs a causal language model");
}

void Sequences::restart() { length_ = 0; }

Tensor Sequences::append(std::span<const int32_t> ids, int64_t rows) {
  const auto total = static_cast<int64_t>(ids.size());
  const int64_t each = total / count_;
  if (length_ + each > program_.options().context)
    throw Error("the sequence grows over the context of " + std::to_string(program_.options().context) + " tokens",
                {.file = {}, .field = "--context", .offset = {}});
  for (const int32_t id : ids) {
    if (id < 0 || id >= program_.model().vocabulary)
      throw Error("token id " + std::to_string(id) + " is not below the vocabulary of " +
                  std::to_string(program_.model().vocabulary));
  }
  StepData step;
  step.sizes[Symbol::tokens] = total;
  step.sizes[Symbol::sequences] = count_;
  step.sizes[Symbol::rows] = count_ * rows;
  const auto add = [&](std::string name, int64_t n, auto value) {
    std::vector<int32_t> values(static_cast<size_t>(n));
    for (int64_t i = 0; i < n; ++i) values[static_cast<size_t>(i)] = static_cast<int32_t>(value(i));
    step.inputs.push_back({std::move(name), Tensor::of({n}, std::span<const int32_t>(values))});
  };
  add("token_ids", total, [&](int64_t i) { return ids[static_cast<size_t>(i)]; });
  add("positions", total, [&](int64_t i) { return length_ + i % each; });
  add("token_type_ids", total, [](int64_t) { return 0; });
  add("span_start", count_ + 1, [&](int64_t s) { return s * each; });
  add("rows", count_ * rows, [&](int64_t r) { return (r / rows + 1) * each - rows + r % rows; });
  add("context", count_, [&](int64_t) { return length_; });
  add("slots", count_, [](int64_t s) { return s; });
  const auto add_table = [&](std::string name, auto page_of) {
    const int64_t width = program_.max_pages();
    add(std::move(name), count_ * width, [&](int64_t i) { return page_of(i / width, i % width); });
    step.inputs.back().tensor = step.inputs.back().tensor.reshaped({count_, width});
  };
  add_table("page_table", [&](int64_t s, int64_t p) { return s * pages_each_ + std::min(p, pages_each_ - 1); });
  // A ring: what is written next takes the place of what has left the window.
  const int64_t ring = program_.window_pages() / count_;
  add_table("window_table", [&](int64_t s, int64_t p) { return ring == 0 ? 0 : s * ring + p % ring; });

  std::vector<NamedTensor> outputs = program_.run("decode", step);
  length_ += each;
  const auto logits = std::ranges::find(outputs, "logits", &NamedTensor::name);
  if (logits == outputs.end()) throw Error("the model gives no logits");
  return logits->tensor;
}

Tensor Sequences::prefill(std::span<const int32_t> ids) {
  const auto total = static_cast<int64_t>(ids.size());
  const int64_t each = total / count_, step = std::max<int64_t>(1, program_.options().step_tokens / count_);
  Tensor logits;
  std::vector<int32_t> part;
  for (int64_t at = 0; at < each; at += step) {
    const int64_t n = std::min(step, each - at);
    part.clear();
    for (int64_t s = 0; s < count_; ++s) {
      const auto from = ids.begin() + s * each + at;
      part.insert(part.end(), from, from + n);
    }
    logits = append(part, 1);
  }
  return logits;
}

std::vector<int32_t> greedy(const Tensor& logits) {
  std::vector<int32_t> best(static_cast<size_t>(logits.rows()));
  for (size_t r = 0; r < best.size(); ++r) {
    const float* row = logits.data<float>() + static_cast<int64_t>(r) * logits.last();
    best[r] = static_cast<int32_t>(std::max_element(row, row + logits.last()) - row);
  }
  return best;
}

}  // namespace braid
