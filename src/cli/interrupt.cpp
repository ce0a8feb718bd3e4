#include "cli/interrupt.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

namespace braid::cli {

// A thread that reads a signalfd, not a handler: a handler could reach the flag through a global only.
Interrupt::Interrupt() {
  ::signal(SIGPIPE, SIG_IGN);  // a closed stdout is an error of write()
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGINT);
  sigaddset(&wanted, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &wanted, nullptr);
  signals_ = ::signalfd(-1, &wanted, SFD_CLOEXEC);
  stop_ = ::eventfd(0, EFD_CLOEXEC);
  asked_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  watcher_ = std::thread([this] { watch(); });
}

Interrupt::~Interrupt() {
  const uint64_t one = 1;
  if (::write(stop_, &one, sizeof one) == sizeof one)
    watcher_.join();
  else
    watcher_.detach();
  ::close(signals_);
  ::close(stop_);
  ::close(asked_);
}

bool Interrupt::take() {
  uint64_t times = 0;
  const bool woken = ::read(asked_, &times, sizeof times) == sizeof times;
  return requested_.exchange(false, std::memory_order_relaxed) || woken;
}

void Interrupt::watch() noexcept {
  pollfd waiting[2] = {{.fd = signals_, .events = POLLIN, .revents = 0}, {.fd = stop_, .events = POLLIN, .revents = 0}};
  while (true) {
    if (::poll(waiting, 2, -1) < 0) {
      if (errno == EINTR) continue;
      return;
    }
    if (waiting[1].revents != 0) return;
    signalfd_siginfo info;
    if (::read(signals_, &info, sizeof info) != sizeof info) return;
    const bool ask = only_asks_.load(std::memory_order_relaxed) && info.ssi_signo == SIGINT;
    if (!ask && (requested() || at_once_.load(std::memory_order_relaxed))) ::_exit(kInterrupted);
    requested_.store(true, std::memory_order_relaxed);
    const uint64_t one = 1;
    if (::write(asked_, &one, sizeof one) != sizeof one) return;
  }
}

}  // namespace braid::cli
