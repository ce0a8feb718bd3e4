#include "tasks/text_stream.h"

#include "text/tokenizer.h"

namespace braid {

TextStream::TextStream(const Tokenizer* tokenizer, const std::vector<std::string>& stop, const TextCallback& show,
                       std::string& text)
    : stops_(stop), show_(show), text_(text) {
  if (tokenizer != nullptr) decoder_.emplace(*tokenizer, true);
}

bool TextStream::push(int32_t token) {
  return decoder_ ? show(stops_.push(decoder_->push(token))) && !stops_.stopped() : true;
}

void TextStream::flush() {
  if (!decoder_ || cancelled_) return;
  show(stops_.push(decoder_->flush()));
  show(stops_.flush());
}

bool TextStream::show(const std::string& text) {
  if (text.empty()) return true;
  text_ += text;
  if (show_ && !show_(text)) cancelled_ = true;
  return !cancelled_;
}

}  // namespace braid
