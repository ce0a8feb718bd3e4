#pragma once
// A model as a GGUF file: the tables of files/gguf_architectures.h, the other way round.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/format.h"

namespace braid {

struct ExportOptions {
  std::string model;                   ///< MODEL as on the command line
  std::string output;                  ///< the file to write
  std::optional<Format> weights = {};  ///< of matrices; absent: as the model has them. Vectors are always f32
  std::function<bool(uint64_t done, uint64_t total)> progress = {};  ///< false ends the work
};

struct Exported {
  uint64_t bytes = 0;
  uint64_t tensors = 0;
  std::vector<std::string> notes = {};  ///< what the file does not hold
};

/// Writes the file, reads it back and compares: a model that GGUF's metadata cannot say (another scale of attention, a
/// pattern of layers) is an Error, and no file remains. Throws Error naming the architecture, the config field or the
/// tensor that has no counterpart.
Exported export_gguf(const ExportOptions& options);

}  // namespace braid
