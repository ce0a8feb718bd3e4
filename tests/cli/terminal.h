#pragma once
// The built program on a pseudo-terminal, as a user would sit before it. Nothing here depends on time: each step waits
// for what the program shows, and a program that ends or hangs up ends the wait.

#include <sys/types.h>

#include <string>
#include <vector>

namespace braid::test {

class Terminal {
 public:
  explicit Terminal(std::vector<std::string> arguments);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// Reads on until `text` was shown, after what earlier calls waited for. Throws std::runtime_error with all that was
  /// shown when the program ended before.
  void wait_for(const std::string& text);
  /// Keys: "\r" is Enter, "\x03" Ctrl-C, "\x04" Ctrl-D.
  void type(const std::string& keys);
  /// Reads to the end; the exit status, 128 + N when signal N ended it.
  int finish();
  const std::string& shown() const { return shown_; }

 private:
  bool read_some();
  int fd_ = -1;
  pid_t process_ = 0;
  std::string shown_;
  size_t seen_ = 0;
};

}  // namespace braid::test
