#pragma once
// The one thread that runs a model. Others hand it requests and work through a queue; it sleeps when there is nothing
// to do, and what it writes is taken by callbacks that never wait.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "engine/engine.h"
#include "tasks/generate.h"

namespace braid::serve {

/// Too many requests wait already: the client is to come again later.
class Overloaded : public Error {
 public:
  using Error::Error;
};

/// A request as the loop knows it; never used twice.
using Ticket = uint64_t;

struct Submission {
  GenerateOptions options;
  /// On the loop's thread, for each event until the request is over or its texts have all been ended by returning false
  /// (TokenCallback). Must not wait.
  TokenCallback callback;
};

struct Verdict {
  std::vector<Ticket> tickets;  ///< one for each submission
  std::exception_ptr refused;   ///< why there are none
};

struct LoopStats {
  uint64_t running = 0, waiting = 0;
  uint64_t pages = 0, pages_used = 0;  ///< of both pools together
  uint64_t slots = 0, slots_used = 0;
  uint64_t preemptions = 0, tokens = 0, failures = 0;  ///< since the start; failures of the engine itself
};

class EngineLoop {
 public:
  /// Starts the thread. The model must outlive the loop, and nobody else may run it meanwhile. A model that does not
  /// generate has a loop for post() alone. `most_waiting`: requests that wait for their first step.
  EngineLoop(LoadedModel& model, size_t most_waiting);
  /// Ends what runs with an event "cancelled".
  ~EngineLoop();
  EngineLoop(const EngineLoop&) = delete;
  EngineLoop& operator=(const EngineLoop&) = delete;

  /// All of them, or none. Returns at once; the engine takes them between two steps, and `verdict` is called then, on
  /// the loop's thread: with what cancel() takes, or with what request_of or Engine::submit threw (or
  /// Overloaded). Events come after it.
  void submit(std::vector<Submission> submissions, std::function<void(const Verdict&)> verdict);
  /// Returns at once; the event "cancelled" follows. What is over or was never there is ignored.
  void cancel(Ticket ticket);
  /// Returns at once; `work` runs on the loop's thread between two steps. It must not throw.
  void post(std::function<void()> work);

  /// Whether the model writes text.
  bool generates() const { return generates_; }
  /// As of the last step.
  LoopStats stats() const;
  /// Tokens written since the start: a watcher sees that it moves.
  uint64_t tokens() const { return tokens_.load(std::memory_order_relaxed); }

 private:
  struct Running {
    RequestId id = 0;
    int64_t open = 1;  // texts that go on
    TokenCallback callback;
  };
  void loop();
  void turn(std::deque<std::function<void()>> work);
  bool deliver(Ticket ticket, const TokenEvent& event);
  Ticket start(Submission submission);
  void cancel_now(Ticket ticket);
  void drop(Ticket ticket);
  void fail_all(const std::string& message);
  void publish();

  LoadedModel& model_;
  const size_t most_waiting_;
  const bool generates_;
  // Of the loop's thread alone.
  std::optional<Engine> engine_;
  std::map<Ticket, Running> running_;
  Ticket last_ = 0;
  bool busy_ = false, paged_ = false;
  uint64_t failures_ = 0, preemptions_before_ = 0;

  std::atomic<uint64_t> tokens_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;  // guarded by mutex_
  LoopStats stats_;                          // guarded by mutex_
  bool stopping_ = false;                    // guarded by mutex_
  std::thread thread_;
};

}  // namespace braid::serve
