#pragma once
// A command: one file with one function, and one line in cli/list.inc.

#include <span>
#include <string>
#include <string_view>

#include "cli/console.h"
#include "cli/flags.h"
#include "cli/interrupt.h"

namespace braid::cli {

struct Command;

/// What a command has while it runs.
struct Session {
  const Command& command;
  std::span<const std::string> arguments;  ///< behind the command's name
  Console& console;
  Interrupt& interrupt;

  /// The flags of this command, to be declared and then given to parse().
  Flags flags() const;
  /// Parses; false when help was printed instead and the command is done.
  bool parse(Flags& flags);
};

struct Command {
  std::string_view name;
  std::string_view summary;  ///< one line
  std::string_view example;
  int (*run)(Session& session);  ///< returns the exit status; throws UsageError (2) and Error (1)
};

/// All commands, in the order of cli/list.inc.
std::span<const Command> commands();

/// The whole program: `braid ARGUMENTS…`. Returns the exit status: 0 done, 1 the work failed, 2 wrong usage, 130
/// stopped by the user.
int run_program(std::span<const std::string> arguments);

}  // namespace braid::cli
