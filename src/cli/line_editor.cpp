#include "cli/line_editor.h"

#include <histedit.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <cstdio>

namespace braid::cli {

struct LineEditor::State {
  explicit State(Interrupt& interrupt_) : interrupt(interrupt_) {}
  Interrupt& interrupt;
  EditLine* editor = nullptr;
  History* history = nullptr;
  const char* prompt = "";
  bool interrupted = false;

  static State& of(EditLine* editor) {
    void* data = nullptr;
    el_get(editor, EL_CLIENTDATA, &data);
    return *static_cast<State*>(data);
  }
  static char* show_prompt(EditLine* editor) { return const_cast<char*>(of(editor).prompt); }

  /// One byte; 0 at the end of input or when the user asked to stop.
  int next_byte(unsigned char& byte) {
    while (true) {
      pollfd waiting[2] = {{.fd = 0, .events = POLLIN, .revents = 0},
                           {.fd = interrupt.descriptor(), .events = POLLIN, .revents = 0}};
      if (::poll(waiting, 2, -1) < 0 && errno != EINTR) return 0;
      if (waiting[1].revents != 0) {
        interrupt.take();
        interrupted = true;
        return 0;
      }
      if (waiting[0].revents == 0) continue;
      return ::read(0, &byte, 1) == 1 ? 1 : 0;
    }
  }

  /// A character of UTF-8, as libedit asks for it: 1, 0 at the end.
  static int read_character(EditLine* editor, wchar_t* character) {
    State& state = of(editor);
    unsigned char byte = 0;
    if (state.next_byte(byte) == 0) return 0;
    const int more = byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : byte >= 0xC0 ? 1 : 0;
    char32_t value = more == 0 ? byte : byte & (0x3F >> more);
    for (int i = 0; i < more; ++i) {
      if (state.next_byte(byte) == 0) return 0;
      value = value << 6 | (byte & 0x3F);
    }
    *character = static_cast<wchar_t>(value);
    return 1;
  }
};

LineEditor::LineEditor(Interrupt& interrupt) : state_(std::make_unique<State>(interrupt)) {
  std::setlocale(LC_CTYPE, "C.UTF-8");  // libedit counts columns by it
  State& s = *state_;
  s.editor = el_init("braid", stdin, stderr, stderr);
  s.history = history_init();
  HistEvent event;
  history(s.history, &event, H_SETSIZE, 1000);
  el_set(s.editor, EL_CLIENTDATA, &s);
  el_set(s.editor, EL_PROMPT, &State::show_prompt);
  el_set(s.editor, EL_EDITOR, "emacs");
  el_set(s.editor, EL_HIST, history, s.history);
  el_set(s.editor, EL_GETCFN, &State::read_character);
}

LineEditor::~LineEditor() {
  history_end(state_->history);
  el_end(state_->editor);
}

LineEditor::Input LineEditor::read(const char* prompt, std::string& line) {
  State& s = *state_;
  s.prompt = prompt;
  s.interrupted = false;
  int count = 0;
  el_set(s.editor, EL_PREP_TERM, 1);  // before the prompt is seen: a Ctrl-D that the terminal itself took would be lost
  const char* text = el_gets(s.editor, &count);
  if (s.interrupted) return Input::interrupted;
  if (text == nullptr || count <= 0) return Input::end;
  line.assign(text, static_cast<size_t>(count));
  while (line.ends_with('\n') || line.ends_with('\r')) line.pop_back();
  return Input::line;
}

void LineEditor::remember(const std::string& line) {
  HistEvent event;
  history(state_->history, &event, H_ENTER, line.c_str());
}

}  // namespace braid::cli
