#include "engine/batch.h"

#include <algorithm>

namespace braid {
namespace {

Tensor table_of(const std::vector<std::vector<int32_t>>& pages, int64_t max_pages) {
  const auto sequences = static_cast<int64_t>(pages.size());
  std::vector<int32_t> table(static_cast<size_t>(sequences * max_pages), 0);
  auto row = table.begin();
  for (const std::vector<int32_t>& list : pages) {
    std::ranges::transform(list, row, [](int32_t page) { return std::max(page, 0); });
    row += max_pages;
  }
  return Tensor::of({sequences, max_pages}, std::span(std::as_const(table)));
}

}  // namespace

StepData step_data(const Batch& batch, int64_t max_pages) {
  std::vector<int32_t> positions, span_start{0}, rows, context, slots, source_slots;
  for (const Span& span : batch.spans) {
    for (int64_t t = 0; t < span.tokens; ++t) positions.push_back(static_cast<int32_t>(span.context + t));
    span_start.push_back(static_cast<int32_t>(positions.size()));
    for (int64_t r = span.rows; r > 0; --r) rows.push_back(span_start.back() - static_cast<int32_t>(r));
    context.push_back(static_cast<int32_t>(span.context));
    slots.push_back(span.slot);
    source_slots.push_back(span.source_slot);
  }

  StepData step;
  step.sizes[Symbol::tokens] = static_cast<int64_t>(positions.size());
  step.sizes[Symbol::sequences] = static_cast<int64_t>(batch.spans.size());
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
  add("source_slot", source_slots);
  step.inputs.push_back({"page_table", table_of(batch.pages[0], max_pages)});
  step.inputs.push_back({"window_table", table_of(batch.pages[1], max_pages)});
  return step;
}

}  // namespace braid
