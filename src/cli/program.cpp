// The program around the commands: finds the command, maps errors to lines and exit statuses.

#include <new>
#include <vector>

#include "cli/command.h"
#include "cli/nearest.h"
#include "core/error.h"
#include "core/json.h"

namespace braid::cli {

#define COMMAND(function, name, summary, example) int function(Session& session);
#include "cli/list.inc"
#undef COMMAND

namespace {

constexpr Command kCommands[] = {
#define COMMAND(function, name, summary, example) {name, summary, example, function},
#include "cli/list.inc"
#undef COMMAND
};

std::string overview() {
  std::string text =
      "Braid runs language, vision and speech models as they lie on disk.\n\n"
      "usage: braid COMMAND [MODEL] [flags]\n\n";
  for (const Command& command : kCommands)
    text += "  " + std::string(command.name) + std::string(13 - command.name.size(), ' ') +
            std::string(command.summary) + "\n";
  return text +
         "\nMODEL is a folder in Hugging Face layout, a name from the hub that `braid pull` fetched, or the name of "
         "an\n"
         "embedded model (books-4m). `braid COMMAND --help` explains a command; `braid --version` prints the version.\n"
         "\nexample:\n  braid run --prompt \"It was a bright cold day in April, and\"\n";
}

const Command& find_command(const std::string& name) {
  std::vector<std::string_view> known;
  for (const Command& command : kCommands) {
    if (command.name == name) return command;
    known.push_back(command.name);
  }
  const bool flag = name.starts_with('-');
  throw UsageError((flag ? "unknown flag " : "unknown command ") + name, {},
                   did_you_mean(name, known, "braid --help lists the commands"));
}

int dispatch(std::span<const std::string> arguments, Console& console, Interrupt& interrupt) {
  const std::string first = arguments.empty() ? "--help" : arguments[0];
  if (first == "--version" || first == "-V") {
    const bool json = arguments.size() > 1 && arguments[1] == "--json";
    if (json)
      console.print(JsonWriter().begin_object().member("version", BRAID_VERSION).end_object().text() + "\n");
    else
      console.print("braid " BRAID_VERSION "\n");
    return 0;
  }
  const bool help = first == "--help" || first == "-h" || first == "help";
  if (help && arguments.size() < 2) {
    console.print(overview());
    return 0;
  }
  const std::vector<std::string> only_help{"--help"};
  Session session{.command = find_command(help ? arguments[1] : first),
                  .arguments = help ? std::span<const std::string>(only_help) : arguments.subspan(1),
                  .console = console,
                  .interrupt = interrupt};
  return session.command.run(session);
}

}  // namespace

std::span<const Command> commands() { return kCommands; }

Flags Session::flags() const { return Flags("braid " + std::string(command.name), command.summary, command.example); }

bool Session::parse(Flags& flags) {
  if (flags.parse(arguments)) return true;
  console.print(flags.help());
  return false;
}

int run_program(std::span<const std::string> arguments) {
  Console console(1, 2);
  try {
    Interrupt interrupt;
    const int status = dispatch(arguments, console, interrupt);
    console.flush();
    return status;
  } catch (const ClosedOutput&) {
    return 1;
  } catch (const UsageError& e) {
    console.error(e.line());
    return 2;
  } catch (const Error& e) {
    console.error(e.line());
  } catch (const std::bad_alloc&) {
    console.error("there is not enough memory — choose a smaller --context or a narrower --weights");
  } catch (const std::exception& e) {
    console.error(e.what());
  }
  return 1;
}

}  // namespace braid::cli
