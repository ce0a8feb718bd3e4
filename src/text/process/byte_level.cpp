#include "text/base/kinds.h"
#include "text/process/post_processor.h"

namespace braid::text {
namespace {

class ByteLevel final : public PostProcessor {
 public:
  ByteLevel(bool trim, bool add_prefix_space) : trim_(trim), add_prefix_space_(add_prefix_space) {}
  void apply(std::vector<Segment>& segments, bool) const override {
    if (!trim_) return;
    for (Segment& segment : segments) trim_offsets(segment, add_prefix_space_);
  }
  bool reads_blanks() const override { return trim_; }

 private:
  bool trim_, add_prefix_space_;
};

}  // namespace

std::unique_ptr<PostProcessor> make_byte_level_processor(const Json& node, const Limits&) {
  return std::make_unique<ByteLevel>(node.at("trim_offsets").as_bool(), node.at("add_prefix_space").as_bool());
}

}  // namespace braid::text
