#include "text/stream.h"

#include "text/unicode/utf8.h"

namespace braid {

std::string StreamDecoder::pending() const {
  const std::string text = tokenizer_->decode(ids_, skip_special_);
  if (text.starts_with(shown_)) return text.substr(shown_.size());
  // Byte tokens whose first characters were shown have turned out to be no text: the rest is shown for itself.
  return tokenizer_->decode(std::span(ids_).subspan(context_), skip_special_);
}

std::string StreamDecoder::push(int32_t id) {
  ids_.push_back(id);
  std::string fresh = pending();
  const bool waits = fresh.empty() || fresh.ends_with(utf8::kReplacement);
  if (waits && ids_.size() - context_ <= kMostPending) return {};
  ids_.erase(ids_.begin(), ids_.begin() + static_cast<std::ptrdiff_t>(context_));
  context_ = ids_.size();
  shown_ = tokenizer_->decode(ids_, skip_special_);
  return fresh;
}

std::string StreamDecoder::flush() {
  std::string rest = pending();
  ids_.clear();
  context_ = 0;
  shown_.clear();
  return rest;
}

}  // namespace braid
