#pragma once
// A batch of the scheduler as the inputs of a step.

#include "backend/backend.h"
#include "engine/scheduler.h"

namespace braid {

/// What a decode entry may read: token_ids, positions, span_start, rows (the last tokens of each span whose logits are
/// wanted), context, page_table and window_table (padded with page 0, as are the pages that have left the window:
/// nothing reads them), slots, source_slot.
StepData step_data(const Batch& batch, int64_t max_pages);

}  // namespace braid
