#include "cli/console.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>

#include "core/error.h"

namespace braid::cli {
namespace {

constexpr size_t kBuffer = 1 << 16;
constexpr auto kFrame = std::chrono::milliseconds(100);  // between two drawings of a bar
constexpr int kBarWidth = 30;

/// 0, or the error number.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return 0;
}

std::string one_line(std::string_view prefix, std::string_view text) {
  std::string line(prefix);
  for (const char c : text) line += c == '\n' || c == '\r' ? ' ' : c;
  return line + '\n';
}

}  // namespace

Console::Console(int out, int err) : out_(out), err_(err) {
  const char* terminal = std::getenv("TERM");
  const char* no_color = std::getenv("NO_COLOR");
  interactive_ = ::isatty(err) != 0 && terminal != nullptr && std::strcmp(terminal, "dumb") != 0;
  colours_ = interactive_ && (no_color == nullptr || *no_color == '\0');
}

void Console::print(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() >= kBuffer) flush();
}

void Console::flush() {
  const std::string text = std::exchange(buffer_, {});
  const int failure = write_all(out_, text);
  if (failure == EPIPE) throw ClosedOutput();
  if (failure != 0) throw Error(std::string("stdout cannot be written: ") + std::strerror(failure));
}

void Console::note(std::string_view text) { print_aside(one_line("braid: ", text)); }

void Console::error(std::string_view text) {
  print_aside(one_line(colours_ ? "braid: \x1b[1;31merror:\x1b[0m " : "braid: error: ", text));
}

void Console::print_aside(std::string_view text) { write_all(err_, text); }

Progress::Progress(Console& console, std::string label)
    : console_(console), label_(std::move(label)), drawn_(std::chrono::steady_clock::now()) {}

Progress::~Progress() { clear(); }

void Progress::update(uint64_t done, uint64_t total, std::string_view detail) {
  if (!console_.interactive()) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - drawn_ < kFrame) return;  // short work never shows a bar
  drawn_ = now;
  std::string line = "\r\x1b[K" + label_;
  if (total > 0) {
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    const int filled = static_cast<int>(share * kBarWidth);
    line += " [" + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "] " +
            std::to_string(static_cast<int>(share * 100)) + "%";
  }
  if (!detail.empty()) (line += ' ') += detail;
  console_.print_aside(line);
  visible_ = true;
}

void Progress::clear() {
  if (visible_) console_.print_aside("\r\x1b[K");
  visible_ = false;
}

Waiting::Waiting(Console& console, std::string label) : console_(console), label_(std::move(label)) {
  if (console_.interactive()) thread_ = std::jthread([this](const std::stop_token& stopped) { draw(stopped); });
}

void Waiting::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void Waiting::draw(const std::stop_token& stopped) {
  const auto start = std::chrono::steady_clock::now();
  std::mutex mutex;
  std::condition_variable_any change;
  std::unique_lock lock(mutex);
  bool visible = false;
  while (!change.wait_for(lock, stopped, kFrame, [&] { return stopped.stop_requested(); })) {
    const auto tenths =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count() / 100;
    if (tenths < 10) continue;
    console_.print_aside("\r\x1b[K" + label_ + " … " + std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) +
                         " s");
    visible = true;
  }
  if (visible) console_.print_aside("\r\x1b[K");
}

}  // namespace braid::cli
