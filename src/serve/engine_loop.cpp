#include "serve/engine_loop.h"

#include <utility>

#include "core/error.h"

namespace braid::serve {

EngineLoop::EngineLoop(LoadedModel& model, size_t most_waiting)
    : model_(model), most_waiting_(most_waiting), generates_(model.program->has_entry("decode")) {
  if (generates_) {
    engine_.emplace(*model_.program);
    paged_ = model_.program->keeps("decode", Lifetime::token);
  }
  publish();
  thread_ = std::thread([this] { loop(); });
}

EngineLoop::~EngineLoop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void EngineLoop::post(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
  }
  wake_.notify_one();
}

void EngineLoop::submit(std::vector<Submission> submissions, std::function<void(const Verdict&)> verdict) {
  // Functions are copied, so what they hold is shared.
  const auto all = std::make_shared<std::vector<Submission>>(std::move(submissions));
  post([this, all, verdict = std::move(verdict)] {
    Verdict said;
    try {
      for (Submission& submission : *all) said.tickets.push_back(start(std::move(submission)));
    } catch (const std::exception&) {
      said.refused = std::current_exception();
      for (const Ticket ticket : std::exchange(said.tickets, {})) drop(ticket);
    }
    verdict(said);
  });
}

void EngineLoop::cancel(Ticket ticket) {
  post([this, ticket] { cancel_now(ticket); });
}

LoopStats EngineLoop::stats() const {
  const std::lock_guard lock(mutex_);
  LoopStats stats = stats_;
  stats.tokens = tokens();
  return stats;
}

// ---- on the loop's thread

Ticket EngineLoop::start(Submission submission) {
  if (!engine_)
    throw UsageError(model_.program->model().architecture + " does not generate text",
                     {.file = {}, .field = "model", .offset = {}}, "take a causal or an encoder-decoder model");
  if (engine_->scheduler().waiting() >= most_waiting_)
    throw Overloaded(std::to_string(most_waiting_) + " requests wait already", {}, "come again in a moment");
  GenerateRequest request = request_of(model_, submission.options);
  const int64_t texts = request.decoding.beams > 1 ? 1 : request.decoding.sequences;
  const Ticket ticket = ++last_;
  const RequestId id =
      engine_->submit(std::move(request), [this, ticket](const TokenEvent& event) { return deliver(ticket, event); });
  running_[ticket] = {.id = id, .open = texts, .callback = std::move(submission.callback)};
  return ticket;
}

/// Without a word to its callback.
void EngineLoop::drop(Ticket ticket) {
  const auto node = running_.extract(ticket);
  if (!node.empty()) engine_->cancel(node.mapped().id);
}

/// The engine says nothing more of a request whose texts were all ended by its reader. A callback that throws ends its
/// own request alone.
bool EngineLoop::deliver(Ticket ticket, const TokenEvent& event) {
  const auto found = running_.find(ticket);
  if (found == running_.end()) return false;
  if (event.has_token) tokens_.fetch_add(1, std::memory_order_relaxed);
  bool more = false;
  try {
    more = found->second.callback(event);
  } catch (const std::exception&) {
    drop(ticket);
    return false;
  }
  if (event.has_token && (!more || event.finished != FinishReason::none)) --found->second.open;
  if (event.over || found->second.open == 0) running_.erase(found);
  return more;
}

void EngineLoop::cancel_now(Ticket ticket) {
  const auto found = running_.find(ticket);
  if (found != running_.end()) engine_->cancel(found->second.id);
}

/// What the engine does not catch itself may have left it between two states: it is made anew.
void EngineLoop::fail_all(const std::string& message) {
  ++failures_;
  preemptions_before_ += engine_->scheduler().preemptions();
  for (auto& [ticket, request] : std::exchange(running_, {}))
    request.callback({.id = request.id, .finished = FinishReason::error, .over = true, .message = message});
  engine_.emplace(*model_.program);
  busy_ = false;
}

void EngineLoop::publish() {
  LoopStats stats{.failures = failures_};
  if (engine_) {
    const Scheduler& scheduler = engine_->scheduler();
    const Program& program = *model_.program;
    stats.running = scheduler.running();
    stats.waiting = scheduler.waiting();
    stats.slots = static_cast<uint64_t>(program.slots());
    stats.slots_used = stats.slots - scheduler.free_slots();
    if (paged_) {
      stats.pages = static_cast<uint64_t>(program.pages() + program.window_pages());
      stats.pages_used =
          stats.pages - scheduler.free_pages(PageGroup::context) - scheduler.free_pages(PageGroup::window);
    }
    stats.preemptions = preemptions_before_ + scheduler.preemptions();
  }
  const std::lock_guard lock(mutex_);
  stats_ = stats;
}

void EngineLoop::turn(std::deque<std::function<void()>> work) {
  for (const std::function<void()>& each : work) each();
  if (!engine_) return;
  try {
    busy_ = engine_->step();
  } catch (const std::exception& error) {
    fail_all(error.what());
  }
}

void EngineLoop::loop() {
  for (bool going_on = true; going_on;) {
    std::deque<std::function<void()>> work;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return busy_ || stopping_ || !queue_.empty(); });
      work.swap(queue_);
      going_on = !stopping_ || !work.empty();
    }
    if (going_on) turn(std::move(work));
    publish();
  }
  while (!running_.empty()) {
    const Ticket ticket = running_.begin()->first;
    cancel_now(ticket);
    running_.erase(ticket);
  }
}

}  // namespace braid::serve
