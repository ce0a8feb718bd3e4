#pragma once
// Post-processors put the tokens of one or two texts together and add those of a template. One file per kind, one line
// in list.inc.

#include <memory>
#include <vector>

#include "core/json.h"
#include "text/base/pre_tokenized.h"

namespace braid::text {

class PostProcessor {
 public:
  virtual ~PostProcessor() = default;
  /// Rewrites the segments, at first one for each text; in the end they are joined in order. Without `add_special` no
  /// token is added.
  virtual void apply(std::vector<Segment>& segments, bool add_special) const = 0;
  /// Whether it looks at Segment::blanks.
  virtual bool reads_blanks() const { return false; }
};

/// The post-processor that a node of tokenizer.json describes. Throws Error naming the kind for unknown ones.
std::unique_ptr<PostProcessor> read_post_processor(const Json& node, const Limits& limits);

Blanks count_blanks(std::string_view token);
/// Leaves the spaces around tokens out of their offsets, except one space that the pre-tokeniser may have put in front
/// of the text.
void trim_offsets(Segment& segment, bool add_prefix_space);
/// One token of a template in front of or behind a segment, with offsets (0, 0).
void push_front(Segment& segment, int32_t id, int32_t type_id);
void push_back(Segment& segment, int32_t id, int32_t type_id);

}  // namespace braid::text
