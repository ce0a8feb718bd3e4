#include "cli/terminal.h"

#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

namespace braid::test {

Terminal::Terminal(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), BRAID_PROGRAM);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  winsize size{.ws_row = 50, .ws_col = 200, .ws_xpixel = 0, .ws_ypixel = 0};
  process_ = ::forkpty(&fd_, nullptr, nullptr, &size);
  if (process_ < 0) throw std::runtime_error("no pseudo-terminal");
  if (process_ == 0) {
    ::setenv("TERM", "dumb", 1);  // no escape sequences between the words
    ::execv(BRAID_PROGRAM, pointers.data());
    ::_exit(127);
  }
}

Terminal::~Terminal() {
  if (process_ > 0) {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  if (fd_ >= 0) ::close(fd_);
}

bool Terminal::read_some() {
  char chunk[4096];
  const ssize_t n = ::read(fd_, chunk, sizeof chunk);
  if (n > 0) shown_.append(chunk, static_cast<size_t>(n));
  return n > 0;
}

void Terminal::wait_for(const std::string& text) {
  size_t at = 0;
  while ((at = shown_.find(text, seen_)) == std::string::npos)
    if (!read_some()) throw std::runtime_error("the program ended before it showed \"" + text + "\": " + shown_);
  seen_ = at + text.size();
}

void Terminal::type(const std::string& keys) {
  if (::write(fd_, keys.data(), keys.size()) != static_cast<ssize_t>(keys.size()))
    throw std::runtime_error("the program takes no keys");
}

int Terminal::finish() {
  while (read_some()) continue;
  int status = 0;
  ::waitpid(process_, &status, 0);
  process_ = 0;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace braid::test
