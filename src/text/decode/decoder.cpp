#include "text/decode/decoder.h"

#include "text/base/kinds.h"

namespace braid::text {

#define BRAID_KIND(type, make) std::unique_ptr<Decoder> make(const Json& node, const Limits& limits);
#include "text/decode/list.inc"
#undef BRAID_KIND

std::unique_ptr<Decoder> read_decoder(const Json& node, const Limits& limits) {
  static constexpr Kind<Decoder> kKinds[] = {
#define BRAID_KIND(type, make) {type, make},
#include "text/decode/list.inc"
#undef BRAID_KIND
  };
  return read_kind<Decoder>(node, limits, kKinds, "decoder");
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  if (from.empty()) return std::string(text);
  std::string out;
  size_t done = 0;
  for (size_t at = text.find(from); at != std::string_view::npos; at = text.find(from, done)) {
    out.append(text, done, at - done).append(to);
    done = at + from.size();
  }
  return out.append(text, done, text.size() - done);
}

std::string cleaned_up(std::string text) {
  static constexpr std::pair<std::string_view, std::string_view> kRules[] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},    {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
  };
  for (const auto& [from, to] : kRules) text = replaced(text, from, to);
  return text;
}

}  // namespace braid::text
