#pragma once
// The team: the threads that run a step together. And a low-priority pool for loading, packing and tokenising.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

namespace braid {

/// A reference to a callable; the callable must outlive the call.
template <class Signature>
class FunctionRef;
template <class R, class... A>
class FunctionRef<R(A...)> {
 public:
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef>)
  FunctionRef(F&& f)  // NOLINT: implicit on purpose
      : object_(const_cast<void*>(static_cast<const void*>(&f))), call_([](void* object, A... args) -> R {
          return (*static_cast<std::remove_reference_t<F>*>(object))(static_cast<A&&>(args)...);
        }) {}
  R operator()(A... args) const { return call_(object_, static_cast<A&&>(args)...); }

 private:
  void* object_;
  R (*call_)(void*, A...);
};

/// The threads that run steps. The calling thread is worker 0. One `run` at a time: concurrent callers queue. Inside,
/// workers claim output chunks from atomic counters and meet at `barrier`, which spins for a while and then sleeps;
/// when the team is larger than the processors it may use, it does not spin.
class Team {
 public:
  /// `threads` ≥ 1; 0 means one per core that the process may run on (not per hyper-thread).
  explicit Team(int threads = 0);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int size() const;
  /// Calls body(worker) once on each worker and returns when all have returned. `body` must not throw.
  void run(FunctionRef<void(int)> body) noexcept;
  /// Called by every worker inside `run`: returns when all have arrived.
  void barrier() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Calls body(i) for i in [0, count) on several low-priority threads and the caller; the first exception is rethrown
/// after all have ended. `threads` 0: as many as cores.
void parallel_for(size_t count, FunctionRef<void(size_t)> body, int threads = 0);

}  // namespace braid
