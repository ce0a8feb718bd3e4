#pragma once
// What a model consists of: sizes, formats, entries, states, tensors.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tasks/load.h"

namespace braid {

struct TensorDescription {
  std::string name;  ///< the checkpoint's own
  Format format = Format::f32;
  std::vector<int64_t> shape;
  uint64_t bytes = 0;
  std::string sha256;  ///< hexadecimal; empty unless asked for
};

struct StateDescription {
  std::string name, type, lifetime;
  uint64_t bytes = 0;  ///< per token (lifetime token), sequence or source
};

struct EntryDescription {
  std::string name;
  int64_t nodes = 0;
  std::vector<std::pair<std::string, std::string>> inputs, outputs;  ///< name and type
  std::vector<StateDescription> states;
};

struct ModelDescription {
  std::string family, architecture;
  int64_t parameters = 0;  ///< numbers in the tensors that the graphs read, each tensor once
  int64_t vocabulary = 0, max_positions = 0;
  uint64_t checkpoint_bytes = 0;           ///< 0 with random weights
  std::map<std::string, int64_t> formats;  ///< numbers by the format that they are stored in
  std::vector<std::string> unread;         ///< tensors of the checkpoint that no graph reads: the family's stale ones
  std::vector<EntryDescription> entries;
};

/// Builds the graphs of all entries; reads no weights.
ModelDescription describe(LoadedModel& model);

/// The tensors of the checkpoint, sorted by name; none with random weights. `checksums` reads all of them.
std::vector<TensorDescription> describe_tensors(const LoadedModel& model, bool checksums);

/// SHA-256 of a tensor's numbers as fp32, little-endian, row by row, -0 written as 0: the same for every format that
/// holds the same numbers.
std::string checksum(const Tensor& tensor);

}  // namespace braid
