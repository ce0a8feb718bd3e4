#include "text/stream.h"

#include "text/unicode/utf8.h"

namespace braid {

std::string StreamDecoder::take(std::string text) {
  if (!text.starts_with(shown_)) return {};
  return text.substr(shown_.size());
}

std::string StreamDecoder::push(int32_t id) {
  ids_.push_back(id);
  std::string text = tokenizer_->decode(ids_, skip_special_);
  const bool broken = text.ends_with(utf8::kReplacement) && ids_.size() - context_ <= kMostPending;
  if (broken || text.size() <= shown_.size() || !text.starts_with(shown_)) return {};
  std::string fresh = take(std::move(text));
  ids_.erase(ids_.begin(), ids_.begin() + static_cast<std::ptrdiff_t>(context_));
  context_ = ids_.size();
  shown_ = tokenizer_->decode(ids_, skip_special_);
  return fresh;
}

std::string StreamDecoder::flush() {
  std::string rest = take(tokenizer_->decode(ids_, skip_special_));
  ids_.clear();
  context_ = 0;
  shown_.clear();
  return rest;
}

}  // namespace braid
