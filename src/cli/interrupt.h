#pragma once
// Ctrl-C. The first one asks the work to stop: it ends at its next step and keeps what it has. The second one ends the
// process at once.

#include <atomic>
#include <thread>

namespace braid::cli {

/// Takes over SIGINT, SIGTERM and SIGPIPE of the process; to be made before any other thread starts, so that all of
/// them leave these signals to it.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  /// Whether the user asked to stop.
  bool requested() const { return requested_.load(std::memory_order_relaxed); }
  /// Work that never asks: the first signal ends the process as the second would.
  void end_at_once(bool yes) { at_once_.store(yes, std::memory_order_relaxed); }

  /// A conversation: Ctrl-C stops an answer or a line, never the program (SIGTERM still does).
  void only_asks(bool yes) { only_asks_.store(yes, std::memory_order_relaxed); }
  /// A descriptor that is readable once the user asked to stop, for poll().
  int descriptor() const { return asked_; }
  /// Whether the user asked to stop; the next question starts anew.
  bool take();

 private:
  void watch() noexcept;
  int signals_ = -1, stop_ = -1, asked_ = -1;
  std::atomic<bool> requested_ = false, at_once_ = false, only_asks_ = false;
  std::thread watcher_;
};

/// Exit status of work that the user stopped, as shells expect it: 128 + SIGINT.
inline constexpr int kInterrupted = 130;

}  // namespace braid::cli
