#pragma once
// Lines from a terminal, edited with libedit: history, arrows, Ctrl-A and its kin.

#include <memory>
#include <string>

#include "cli/interrupt.h"

namespace braid::cli {

class LineEditor {
 public:
  /// Reads from stdin, draws on stderr.
  explicit LineEditor(Interrupt& interrupt);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  enum class Input : uint8_t { line, interrupted, end };
  /// One line without its end; `interrupted`: Ctrl-C discarded it; `end`: Ctrl-D.
  Input read(const char* prompt, std::string& line);
  void remember(const std::string& line);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace braid::cli
