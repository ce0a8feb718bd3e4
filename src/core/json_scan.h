#pragma once
// A strict, plain scanner of JSON text (RFC 8259). It answers the questions that a fast parser leaves open: where
// exactly is the first fault, and at which byte does a given value begin? It runs only when something is already wrong.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace braid {

struct JsonFault {
  uint64_t offset;  ///< of the first byte that does not belong
  std::string what;
};

/// The first fault of `text`, nothing when there is none. Nesting deeper than `max_depth` is a fault (at most 1024 is
/// kept).
std::optional<JsonFault> find_json_fault(std::string_view text, uint32_t max_depth);

/// Byte offset of the value reached from the root by taking children by index; of its key when `key` is set and the
/// value is a member. `text` must be without faults.
uint64_t json_offset(std::string_view text, std::span<const uint32_t> path, bool key = false);

}  // namespace braid
