#include "cli/chat.h"

#include "cli/line_editor.h"
#include "cli/nearest.h"
#include "core/error.h"

namespace braid::cli {
namespace {

constexpr const char* kHelp =
    "  /help          this list\n"
    "  /reset         forget what was said (the system message stays)\n"
    "  /system TEXT   what the conversation begins with; without a text, nothing\n"
    "  /save FILE     write the conversation, as JSON messages\n"
    "  /load FILE     go on with such a conversation\n"
    "  /exit          end (so does Ctrl-D)\n"
    "  A line that ends with \\ goes on in the next one; \"\"\" begins and ends several lines.\n"
    "  Ctrl-C stops an answer or discards a line.\n";
constexpr std::string_view kBlock = "\"\"\"";

class Chat {
 public:
  Chat(Session& session, Conversation& conversation, const Tokenizer& tokenizer, const Answerer& answer)
      : session_(session),
        conversation_(conversation),
        tokenizer_(tokenizer),
        answer_(answer),
        editor_(session.interrupt) {}

  int run() {
    session_.console.note("ask something and press enter; /help lists the commands, Ctrl-D ends");
    session_.interrupt.only_asks(true);
    if (conversation_.is_open()) reply();
    std::string text;
    for (Input input; (input = read(text)) != Input::end;) {
      if (input == Input::interrupted || text.find_first_not_of(" \t\n") == std::string::npos) continue;
      editor_.remember(text);
      if (text.starts_with('/')) {
        if (!command(text)) break;
        continue;
      }
      conversation_.add("user", text);
      reply();
    }
    session_.interrupt.only_asks(false);
    return 0;
  }

 private:
  using Input = LineEditor::Input;

  /// One message: several lines where the user says so.
  Input read(std::string& text) {
    std::string line;
    Input input = editor_.read("> ", line);
    text = line;
    if (input == Input::line && text.starts_with(kBlock)) {
      text.erase(0, kBlock.size());
      if (text.ends_with(kBlock))
        text.erase(text.size() - kBlock.size());
      else {
        while ((input = editor_.read(". ", line)) == Input::line) {
          text += (text.empty() ? "" : "\n") + line;
          if (!line.ends_with(kBlock)) continue;
          text.erase(text.size() - kBlock.size());
          if (text.ends_with('\n')) text.pop_back();
          break;
        }
      }
    }
    while (input == Input::line && text.ends_with('\\')) {
      text.back() = '\n';
      input = editor_.read(". ", line);
      text += line;
    }
    if (input != Input::line) session_.console.print_aside("\n");
    return input;
  }

  void reply() {
    session_.interrupt.take();  // what was asked before
    try {
      const Answer said = answer_(conversation_.prompt(tokenizer_));
      if (said.text.empty() && said.status != 0)
        conversation_.drop_last();  // stopped before it began
      else
        conversation_.add("assistant", said.text);
    } catch (const Error& error) {  // this question's, not the conversation's
      conversation_.drop_last();
      session_.console.error(error.line());
    }
    session_.interrupt.take();
  }

  /// False when the conversation ends.
  bool command(const std::string& line) {
    const size_t space = line.find(' '), first = line.find_first_not_of(' ', space);
    const std::string name = line.substr(0, space), argument = first == std::string::npos ? "" : line.substr(first);
    try {
      return run_command(name, argument);
    } catch (const Error& error) {
      session_.console.error(error.line());
      return true;
    }
  }

  bool run_command(const std::string& name, const std::string& argument) {
    const auto need_file = [&] {
      if (argument.empty()) throw UsageError(name + " needs a file");
    };
    if (name == "/exit" || name == "/quit") return false;
    if (name == "/help") {
      session_.console.print_aside(kHelp);
    } else if (name == "/reset") {
      conversation_.reset();
      session_.console.note("a new conversation");
    } else if (name == "/system") {
      conversation_.set_system(argument);
      session_.console.note(argument.empty() ? "no system message" : "the system message is set");
    } else if (name == "/save") {
      need_file();
      conversation_.save(argument);
      session_.console.note("saved " + std::to_string(conversation_.size()) + " messages");
    } else if (name == "/load") {
      need_file();
      conversation_.load(argument);
      session_.console.note("loaded " + std::to_string(conversation_.size()) + " messages");
      if (conversation_.is_open()) reply();
    } else {
      constexpr std::string_view kNames[] = {"/help", "/reset", "/system", "/save", "/load", "/exit"};
      throw UsageError("unknown command " + name, {}, did_you_mean(name, kNames, "/help lists the commands"));
    }
    return true;
  }

  Session& session_;
  Conversation& conversation_;
  const Tokenizer& tokenizer_;
  const Answerer& answer_;
  LineEditor editor_;
};

}  // namespace

int chat_on_terminal(Session& session, Conversation& conversation, const Tokenizer& tokenizer, const Answerer& answer) {
  return Chat(session, conversation, tokenizer, answer).run();
}

}  // namespace braid::cli
