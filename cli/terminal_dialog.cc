#include "cli/terminal_dialog.h"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "cli/stop.h"

namespace muniment {
namespace {

constexpr int kStopTickMs = 100;
constexpr std::size_t kMostAnswerBytes = 4096;

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::unexpected<Error> interrupted() {
  return fail(ErrorCode::kInterrupted, "nothing was confirmed, nothing was recorded");
}

}  // namespace

std::optional<TerminalDialog> TerminalDialog::open() {
  if (::isatty(STDIN_FILENO) != 1) return std::nullopt;
  Fd terminal(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.open()) return std::nullopt;
  return TerminalDialog(std::move(terminal));
}

void TerminalDialog::show(std::string_view text) {
  write_all(terminal_.get(), text);
}

Result<std::string> TerminalDialog::ask(std::string_view question) {
  ::tcflush(terminal_.get(), TCIFLUSH);
  if (!write_all(terminal_.get(), question)) return interrupted();
  std::string answer;
  while (!stop_requested()) {
    pollfd waited{terminal_.get(), POLLIN, 0};
    if (::poll(&waited, 1, kStopTickMs) <= 0) continue;
    char byte = 0;
    const ssize_t n = ::read(terminal_.get(), &byte, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0 || answer.size() > kMostAnswerBytes) break;
    if (byte == '\n') return answer;
    answer += byte;
  }
  return interrupted();
}

void show_on_standard_error(std::string_view text) {
  write_all(STDERR_FILENO, text);
}

}  // namespace muniment
