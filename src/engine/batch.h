#pragma once
// A batch of the scheduler as the inputs of a step.

#include "backend/backend.h"
#include "engine/scheduler.h"

namespace braid {

/// What a decode entry may read: token_ids, positions, span_start, rows (the last token of each `sampled` span),
/// context, page_table (padded with page 0, which nothing reads), slots, source_slot.
StepData step_data(const Batch& batch, int64_t max_pages);

}  // namespace braid
