#include <charconv>

#include "text/decode/decoder.h"
#include "text/unicode/utf8.h"

namespace braid::text {
namespace {

/// The byte of a token "<0xNN>".
std::optional<char> byte_of(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(token.data() + 3, token.data() + 5, value, 16);
  if (error != std::errc() || end != token.data() + 5) return std::nullopt;
  return static_cast<char>(value);
}

/// A run of byte tokens is the text that its bytes are, or, when they are no UTF-8, U+FFFD for each byte.
class ByteFallback final : public Decoder {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::vector<std::string> out;
    out.reserve(tokens.size());
    std::string bytes;
    const auto finish = [&] {
      if (bytes.empty()) return;
      if (utf8::first_invalid(bytes))
        out.insert(out.end(), bytes.size(), std::string(utf8::kReplacement));
      else
        out.push_back(bytes);
      bytes.clear();
    };
    for (std::string& token : tokens) {
      if (const auto byte = byte_of(token)) {
        bytes += *byte;
        continue;
      }
      finish();
      out.push_back(std::move(token));
    }
    finish();
    tokens = std::move(out);
  }
};

}  // namespace

std::unique_ptr<Decoder> make_byte_fallback(const Json&, const Limits&) { return std::make_unique<ByteFallback>(); }

}  // namespace braid::text
