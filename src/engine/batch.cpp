#include "engine/batch.h"

#include <algorithm>

namespace braid {

StepData step_data(const Batch& batch, int64_t max_pages) {
  const auto sequences = static_cast<int64_t>(batch.spans.size());
  std::vector<int32_t> positions, span_start{0}, rows, context, slots;
  std::vector<int32_t> page_table(static_cast<size_t>(sequences * max_pages), 0);
  auto row = page_table.begin();
  for (size_t i = 0; i < batch.spans.size(); ++i) {
    const Span& span = batch.spans[i];
    for (int64_t t = 0; t < span.tokens; ++t) positions.push_back(static_cast<int32_t>(span.context + t));
    span_start.push_back(static_cast<int32_t>(positions.size()));
    if (span.sampled) rows.push_back(span_start.back() - 1);
    context.push_back(static_cast<int32_t>(span.context));
    slots.push_back(span.slot);
    std::ranges::copy(batch.pages[i], row);
    row += max_pages;
  }

  StepData step;
  step.sizes[Symbol::tokens] = static_cast<int64_t>(positions.size());
  step.sizes[Symbol::sequences] = sequences;
  step.sizes[Symbol::rows] = static_cast<int64_t>(rows.size());
  const auto add = [&](const char* name, const std::vector<int32_t>& values) {
    step.inputs.push_back({name, Tensor::of({static_cast<int64_t>(values.size())}, std::span(values))});
  };
  add("token_ids", batch.token_ids);
  add("positions", positions);
  add("span_start", span_start);
  add("rows", rows);
  add("context", context);
  add("slots", slots);
  add("source_slot", slots);
  step.inputs.push_back({"page_table", Tensor::of({sequences, max_pages}, std::span(std::as_const(page_table)))});
  return step;
}

}  // namespace braid
