#pragma once
// The tensors of a GGUF file under the names and in the arrangement that the families know.

#include "files/checkpoint.h"
#include "models/model.h"
#include "models/schemes/scheme.h"

namespace braid {

/// A family's tensor is an expression over the file's, which keeps its blocks: rows of queries and keys are put back,
/// Conv1D's weights transposed, norms' ones taken away, experts sliced. All else is the file's own bytes. Throws Error
/// when the metadata lack what that needs. The checkpoint is a GGUF file; `quantised`: its weights with factors of
/// their own, or null.
TensorIndex gguf_index(const std::shared_ptr<const Checkpoint>& checkpoint,
                       std::shared_ptr<const QuantizedCheckpoint> quantised = nullptr);

}  // namespace braid
