#pragma once
// Where a command writes: results to stdout, everything else to stderr. Plain text unless stderr is a terminal that
// wants more.

#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <thread>

namespace braid::cli {

/// stdout's reader is gone (`braid run | head -1`): the work ends without a word.
class ClosedOutput : public std::exception {
 public:
  const char* what() const noexcept override { return "stdout is closed"; }
};

class Console {
 public:
  /// File descriptors; the environment variable NO_COLOR turns colours off.
  Console(int out, int err);

  /// Buffered; throws ClosedOutput, or Error when stdout cannot take it (a full disk).
  void print(std::string_view text);
  void flush();
  /// One line on stderr: "braid: TEXT". Line ends inside become spaces.
  void note(std::string_view text);
  /// One line on stderr: "braid: error: TEXT".
  void error(std::string_view text);
  /// Text on stderr as it is.
  void print_aside(std::string_view text);

  /// stderr is a terminal: progress may be drawn.
  bool interactive() const { return interactive_; }
  bool colours() const { return colours_; }

 private:
  friend class Progress;
  int out_, err_;
  bool interactive_, colours_;
  std::string buffer_;
};

/// A bar on the last line of the terminal while it lives; nothing elsewhere. One thread at a time.
class Progress {
 public:
  Progress(Console& console, std::string label);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `total` 0: not known. `detail` stands behind the bar ("12.3 MB/s").
  void update(uint64_t done, uint64_t total, std::string_view detail = {});
  /// Takes the bar off the terminal, until the next update.
  void clear();

 private:
  Console& console_;
  std::string label_;
  std::chrono::steady_clock::time_point drawn_;
  bool visible_ = false;
};

/// Work that cannot say how far it is: "LABEL … 3.1 s" on the last line of the terminal, from a second on, until
/// stop() or the end of the object; nothing elsewhere.
class Waiting {
 public:
  Waiting(Console& console, std::string label);
  ~Waiting() { stop(); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  void stop();

 private:
  void draw(const std::stop_token& stopped);
  Console& console_;
  std::string label_;
  std::jthread thread_;
};

}  // namespace braid::cli
