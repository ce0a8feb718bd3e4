#include "text/decode/decoder.h"
#include "text/pattern/pattern.h"

namespace braid::text {
namespace {

class Replace final : public Decoder {
 public:
  Replace(std::unique_ptr<Pattern> pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)) {}
  void apply(std::vector<std::string>& tokens) const override {
    std::vector<Span> matches;
    for (std::string& token : tokens) {
      matches.clear();
      pattern_->find_all(token, matches);
      if (matches.empty()) continue;
      std::string out;
      size_t done = 0;
      for (const Span& match : matches) {
        out.append(token, done, match.begin - done).append(content_);
        done = match.end;
      }
      token = out.append(token, done, token.size() - done);
    }
  }

 private:
  std::unique_ptr<Pattern> pattern_;
  std::string content_;
};

}  // namespace

std::unique_ptr<Decoder> make_replace_decoder(const Json& node, const Limits& limits) {
  return std::make_unique<Replace>(read_pattern(node.at("pattern"), limits),
                                   std::string(node.at("content").as_string()));
}

}  // namespace braid::text
