// BertProcessing ([CLS] A [SEP] B [SEP]) and RobertaProcessing (<s> A </s> </s> B </s>, all of type 0).

#include "text/base/kinds.h"
#include "text/base/vocabulary.h"
#include "text/process/post_processor.h"

namespace braid::text {
namespace {

struct Ends {
  int32_t separator;
  int32_t start;
};

/// ["text", id] for each of "sep" and "cls".
Ends read_ends(const Json& node, const Limits& limits) {
  const auto read = [&](std::string_view key) {
    const Json pair = node.at(key);
    if (!pair.is_array() || pair.size() != 2) pair.fail("a token and its id are wanted");
    return read_token_id(pair[1], limits);
  };
  return {read("sep"), read("cls")};
}

class BertProcessing final : public PostProcessor {
 public:
  explicit BertProcessing(Ends ends) : ends_(ends) {}
  void apply(std::vector<Segment>& segments, bool add_special) const override {
    if (!add_special) return;
    for (size_t i = 0; i < segments.size(); ++i) {
      if (i == 0) push_front(segments[i], ends_.start, 0);
      push_back(segments[i], ends_.separator, i == 0 ? 0 : 1);
    }
  }

 private:
  Ends ends_;
};

class RobertaProcessing final : public PostProcessor {
 public:
  RobertaProcessing(Ends ends, bool trim, bool add_prefix_space)
      : ends_(ends), trim_(trim), add_prefix_space_(add_prefix_space) {}
  void apply(std::vector<Segment>& segments, bool add_special) const override {
    for (size_t i = 0; i < segments.size(); ++i) {
      if (trim_) trim_offsets(segments[i], add_prefix_space_);
      segments[i].encoding.type_ids.assign(segments[i].encoding.ids.size(), 0);
      if (!add_special) continue;
      push_front(segments[i], i == 0 ? ends_.start : ends_.separator, 0);
      push_back(segments[i], ends_.separator, 0);
    }
  }
  bool reads_blanks() const override { return trim_; }

 private:
  Ends ends_;
  bool trim_, add_prefix_space_;
};

}  // namespace

std::unique_ptr<PostProcessor> make_bert_processing(const Json& node, const Limits& limits) {
  return std::make_unique<BertProcessing>(read_ends(node, limits));
}
std::unique_ptr<PostProcessor> make_roberta_processing(const Json& node, const Limits& limits) {
  return std::make_unique<RobertaProcessing>(read_ends(node, limits), flag(node, "trim_offsets", true),
                                             flag(node, "add_prefix_space", true));
}

}  // namespace braid::text
