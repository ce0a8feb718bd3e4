#include "cli/program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>

extern char** environ;

namespace braid::test {
namespace {

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    read = ends[0];
    write = ends[1];
  }
  ~Pipe() {
    close_read();
    close_write();
  }
  void close_read() { close(read); }
  void close_write() { close(write); }

 private:
  static void close(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

/// Appends what can be read; false at the end.
bool take(int fd, std::string& to) {
  char chunk[4096];
  const ssize_t n = ::read(fd, chunk, sizeof chunk);
  if (n > 0) to.append(chunk, static_cast<size_t>(n));
  return n > 0;
}

}  // namespace

Outcome run(const Invocation& invocation) {
  Pipe in, out, err;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write, 1);
  posix_spawn_file_actions_adddup2(&actions, err.write, 2);
  std::vector<std::string> arguments{BRAID_PROGRAM};
  arguments.insert(arguments.end(), invocation.arguments.begin(), invocation.arguments.end());
  std::vector<std::string> environment = invocation.environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view name(*entry, std::strcspn(*entry, "=") + 1);
    bool replaced = false;
    for (const std::string& added : invocation.environment) replaced = replaced || added.starts_with(name);
    if (!replaced) environment.emplace_back(*entry);
  }
  pid_t process = 0;
  if (::posix_spawn(&process, BRAID_PROGRAM, &actions, nullptr, pointers(arguments).data(),
                    pointers(environment).data()) != 0)
    throw std::runtime_error("the program cannot be started: " BRAID_PROGRAM);
  posix_spawn_file_actions_destroy(&actions);
  in.close_read();
  out.close_write();
  err.close_write();
  ::signal(SIGPIPE, SIG_IGN);
  if (::write(in.write, invocation.input.data(), invocation.input.size()) < 0) in.close_write();
  in.close_write();

  Outcome outcome;
  pollfd waiting[2] = {{.fd = out.read, .events = POLLIN, .revents = 0}, {.fd = err.read, .events = POLLIN, .revents = 0}};
  bool first = true;
  while (waiting[0].fd >= 0 || waiting[1].fd >= 0) {
    if (::poll(waiting, 2, -1) < 0) continue;
    if (waiting[0].fd >= 0 && waiting[0].revents != 0 && !take(waiting[0].fd, outcome.out)) waiting[0].fd = -1;
    if (waiting[1].fd >= 0 && waiting[1].revents != 0 && !take(waiting[1].fd, outcome.err)) waiting[1].fd = -1;
    if (!first || outcome.out.empty()) continue;
    first = false;
    if (invocation.signal_after_output != 0) ::kill(process, invocation.signal_after_output);
    if (invocation.close_output) {
      waiting[0].fd = -1;
      out.close_read();
    }
  }
  int status = 0;
  ::waitpid(process, &status, 0);
  outcome.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return outcome;
}

}  // namespace braid::test
