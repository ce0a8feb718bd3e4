#pragma once
// Runs the built program, as a user would.

#include <string>
#include <vector>

namespace braid::test {

struct Outcome {
  int status = -1;  ///< exit status; 128 + N when signal N ended it
  std::string out, err;
};

struct Invocation {
  std::vector<std::string> arguments;
  std::string input = {};                         ///< stdin
  std::vector<std::string> environment = {};      ///< "NAME=VALUE", added to this process's
  bool close_output = false;                      ///< stdout's reader goes away after the first byte
  int signal_after_output = 0;                    ///< sent once the first byte of stdout came
};
Outcome run(const Invocation& invocation);
inline Outcome run(std::vector<std::string> arguments) { return run(Invocation{.arguments = std::move(arguments)}); }

}  // namespace braid::test
