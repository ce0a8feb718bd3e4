#include "serve/http.h"

#include <algorithm>

namespace braid::serve {

std::optional<std::string_view> HttpRequest::header(std::string_view name) const {
  const auto found = std::ranges::find(headers, name, &HttpHeaders::value_type::first);
  if (found == headers.end()) return std::nullopt;
  return found->second;
}

void Reply::send(HttpResponse response) {
  {
    const std::lock_guard lock(mutex_);
    if (begun_ || gone_) return;
    bytes_ = std::move(response.body);
    head_ = std::move(response);
    begun_ = whole_ = ended_ = true;
    hook_ = nullptr;
  }
  wake_up();
}

void Reply::begin(HttpResponse head) {
  {
    const std::lock_guard lock(mutex_);
    if (begun_ || gone_) return;
    bytes_ = std::move(head.body);
    head_ = std::move(head);
    begun_ = true;
  }
  wake_up();
}

bool Reply::write(std::string_view piece) {
  bool full = false;
  {
    const std::lock_guard lock(mutex_);
    if (gone_ || ended_) return false;
    full = bytes_.size() + piece.size() > most_bytes_;
    if (!full) bytes_ += piece;
  }
  if (full)
    vanish();
  else
    wake_up();
  return !full;
}

void Reply::end() {
  {
    const std::lock_guard lock(mutex_);
    if (ended_ || gone_) return;
    ended_ = true;
    hook_ = nullptr;
  }
  wake_up();
}

bool Reply::begun() const {
  const std::lock_guard lock(mutex_);
  return begun_;
}

bool Reply::gone() const {
  const std::lock_guard lock(mutex_);
  return gone_;
}

void Reply::on_gone(std::function<void()> hook) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    if (!gone_) {
      hook_ = std::move(hook);
      return;
    }
  }
  hook();
}

Reply::Pieces Reply::take() {
  const std::lock_guard lock(mutex_);
  Pieces pieces{.head = std::exchange(head_, std::nullopt),
                .whole = whole_,
                .bytes = std::exchange(bytes_, {}),
                .ended = ended_,
                .gone = gone_};
  return pieces;
}

void Reply::vanish() {
  std::function<void()> hook;
  {
    const std::lock_guard lock(mutex_);
    if (ended_ || gone_) return;
    gone_ = true;
    bytes_ = {};
    hook = std::exchange(hook_, nullptr);
  }
  if (hook) hook();
  wake_up();
}

}  // namespace braid::serve
