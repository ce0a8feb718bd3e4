#include "text/decode/decoder.h"
#include "text/unicode/byte_alphabet.h"
#include "text/unicode/utf8.h"

namespace braid::text {
namespace {

/// The bytes that the tokens spell, as text. A token with a character outside the byte alphabet (an added one) stands
/// for itself.
class ByteLevel final : public Decoder {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::string bytes;
    for (const std::string& token : tokens) bytes += byte_alphabet::unspell(token).value_or(token);
    tokens.assign(1, utf8::lossy(bytes));
  }
};

}  // namespace

std::unique_ptr<Decoder> make_byte_level_decoder(const Json&, const Limits&) { return std::make_unique<ByteLevel>(); }

}  // namespace braid::text
