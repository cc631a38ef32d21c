// Talking to the person at the terminal: a page to read, and a question.
#ifndef MUNIMENT_CLI_TERMINAL_DIALOG_H_
#define MUNIMENT_CLI_TERMINAL_DIALOG_H_

#include <optional>
#include <string>
#include <string_view>

#include "recorder/core/result.h"
#include "recorder/world/os.h"

namespace muniment {

// The controlling terminal, whatever standard output and standard error are. Move-only.
class TerminalDialog {
 public:
  // Absent: standard input is no terminal, so that nobody is there to be asked.
  static std::optional<TerminalDialog> open();

  // `text` is inert already. What cannot be written is left out: the question will fail.
  void show(std::string_view text);

  // Asks, and returns the line that was typed, without its end. What was typed ahead is not an
  // answer. kInterrupted: Ctrl-C, or the terminal went away.
  Result<std::string> ask(std::string_view question);

 private:
  explicit TerminalDialog(Fd terminal) : terminal_(std::move(terminal)) {}

  Fd terminal_;
};

// The same page where nobody is asked: standard error. Inert already.
void show_on_standard_error(std::string_view text);

}  // namespace muniment

#endif  // MUNIMENT_CLI_TERMINAL_DIALOG_H_
