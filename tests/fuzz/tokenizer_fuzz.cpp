// Any bytes as a tokenizer.json, with a text behind it: refused with an Error, or what it encodes and decodes is sound.
// The text stands behind a line of "%%" at the end of the file; a file without one is tried on a text of many scripts.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/error.h"
#include "text/stream.h"
#include "text/tokenizer.h"
#include "text/unicode/utf8.h"

namespace {

using namespace braid;

constexpr std::string_view kText =
    "Don't  panic: 42½ cafe\u0301 Ünï ﬁ 中文 ｶﾅ 🦙\u200D🦙 <s> a</s>\r\n\n\tx\u00A0 ▁_ [MASK]";

/// Small ones, so that a run takes no longer than it must.
constexpr Limits kLimits{.max_vocabulary = 1 << 16, .regex_match_limit = 20'000, .max_text_bytes = 4096};

void require(bool sound) {
  if (!sound) std::abort();
}

void check(const Tokenizer& tokenizer, std::string_view text, const EncodeOptions& options) {
  const Encoding encoding = tokenizer.encode(text, options);
  require(encoding.offsets.size() == encoding.ids.size() && encoding.type_ids.size() == encoding.ids.size());
  const auto characters = static_cast<int64_t>(std::max(utf8::count(text), utf8::count(options.pair.value_or(""))));
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    require(encoding.ids[i] >= 0);
    const auto [begin, end] = encoding.offsets[i];
    require(begin >= 0 && end >= 0 && begin <= characters && end <= characters);
  }
  for (const bool skip_special : {false, true}) {
    require(!utf8::first_invalid(tokenizer.decode(encoding.ids, skip_special)));
  }
  StreamDecoder stream(tokenizer);
  for (const int32_t id : encoding.ids) require(!utf8::first_invalid(stream.push(id)));
  require(!utf8::first_invalid(stream.flush()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view json(reinterpret_cast<const char*>(data), size), text = kText;
  if (const size_t line = json.rfind("\n%%\n"); line != std::string_view::npos) {
    text = json.substr(line + 4);
    json = json.substr(0, line);
  }
  try {
    const Tokenizer tokenizer = Tokenizer::parse(json, "fuzz.json", kLimits);
    check(tokenizer, text, {});
    check(tokenizer, text, {.add_special = false, .parse_special = false, .pair = kText});
  } catch (const Error&) {
  }
  return 0;
}
