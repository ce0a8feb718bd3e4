#pragma once
// The truncation and padding sections of tokenizer.json.

#include <cstdint>
#include <optional>
#include <vector>

#include "core/json.h"
#include "text/base/encoding.h"
#include "text/process/post_processor.h"

namespace braid::text {

struct Truncation {
  enum class Strategy : uint8_t { longest_first, only_first, only_second };
  uint64_t max_length = 0;  ///< of the whole, added tokens included
  Strategy strategy = Strategy::longest_first;
  bool left = false;  ///< cuts at the beginning
};

struct Padding {
  uint64_t fixed = 0;        ///< 0: as long as it is (one text alone is the longest of its batch)
  uint64_t multiple_of = 0;  ///< 0: any length
  int32_t id = 0, type_id = 0;
  bool left = false;
};

/// Throw Error at the member that is missing or unknown.
Truncation read_truncation(const Json& node);
Padding read_padding(const Json& node, const Limits& limits);

/// Cuts the texts so that they and `added` tokens fit. Throws Error when the strategy leaves too little to cut.
void truncate(std::vector<Segment>& segments, const Truncation& truncation, uint64_t added);
/// Padding has the offsets (0, 0).
void pad(Encoding& encoding, const Padding& padding);

}  // namespace braid::text
