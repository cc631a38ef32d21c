#include "recorder/world/command_process.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "recorder/core/redacted_lines.h"
#include "recorder/core/transcript.h"
#include "recorder/world/start_command.h"

namespace muniment {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kTailBytes = 4096;
constexpr std::size_t kTranscriptBytes = 1U << 20U;
constexpr std::chrono::seconds kGrace{5};     // from SIGTERM to SIGKILL
constexpr std::chrono::seconds kLeftOver{1};  // to read what was written before SIGKILL
constexpr int kPauseMs = 50;
constexpr int kShortPauseMs = 5;

// One stream: hashed as it is, kept as it is shown.
class Stream {
 public:
  Stream(Fd fd, bool is_error, const Redactor& redactor, Transcript& transcript)
      : fd_(std::move(fd)),
        lines_(redactor, [this, is_error, &transcript](std::uint64_t arrival, auto line) {
          transcript.add(arrival, is_error, line);
          keep(line);
        }) {}

  int fd() const { return fd_.get(); }
  bool open() const { return fd_.open(); }

  // Takes what is there; at the end of the stream closes it.
  void take(std::uint64_t arrival) {
    std::array<char, 65536> buffer{};
    const ssize_t n = ::read(fd_.get(), buffer.data(), buffer.size());
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (n <= 0) return fd_.reset();
    const std::string_view piece(buffer.data(), static_cast<std::size_t>(n));
    hash_.update(piece);
    end_.bytes += piece.size();
    lines_.write(piece, arrival);
  }

  CommandOutput finish() {
    lines_.finish();
    keep({});
    end_.sha256 = hash_.finish();
    if (end_.tail.size() > kTailBytes) end_.tail.erase(0, end_.tail.size() - kTailBytes);
    return std::move(end_);
  }

 private:
  void keep(std::string_view line) {
    end_.tail += line;
    if (end_.tail.size() > 16 * kTailBytes) end_.tail.erase(0, end_.tail.size() - kTailBytes);
  }

  Fd fd_;
  Sha256 hash_;
  CommandOutput end_;
  RedactedLines lines_;
};

bool has_ended(pid_t pid) {
  siginfo_t info{};
  // It stays a zombie, so that its number, which is the group's, is given to nobody else.
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid;
}

class Supervisor {
 public:
  Supervisor(StartedCommand started, const CommandLine& line, const Redactor& redactor,
             const std::function<bool()>& stop)
      : pid_(started.pid),
        stop_(stop),
        began_(Clock::now()),
        next_(began_ + line.timeout),
        transcript_(kTranscriptBytes),
        out_(std::move(started.out), false, redactor, transcript_),
        err_(std::move(started.err), true, redactor, transcript_) {}

  CommandEnd run() {
    while (!is_over()) {
      read_streams();
      decide();
    }
    if (stage_ != Stage::kRunning) ::kill(-pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    end_.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    end_.duration = Clock::now() - began_;
    end_.out = out_.finish();
    end_.err = err_.finish();
    end_.transcript = transcript_.text();
    end_.transcript_cut_bytes = transcript_.cut_bytes();
    return std::move(end_);
  }

 private:
  enum class Stage { kRunning, kAsked, kKilled };

  bool is_over() {
    if (!has_ended(pid_)) return false;
    if (!out_.open() && !err_.open()) return true;
    return stage_ == Stage::kKilled && Clock::now() >= next_;
  }

  void read_streams() {
    std::array<pollfd, 2> polled{{{out_.fd(), POLLIN, 0}, {err_.fd(), POLLIN, 0}}};
    const bool open = out_.open() || err_.open();
    if (::poll(polled.data(), polled.size(), open ? kPauseMs : kShortPauseMs) <= 0) return;
    if (polled[0].revents != 0) out_.take(++arrival_);
    if (polled[1].revents != 0) err_.take(++arrival_);
  }

  // One stage after the other, each with its time.
  void decide() {
    const Clock::time_point now = Clock::now();
    if (stage_ == Stage::kRunning) {
      end_.interrupted = stop_();
      end_.timed_out = !end_.interrupted && now >= next_;
      if (end_.interrupted || end_.timed_out) enter(Stage::kAsked, SIGTERM, now + kGrace);
    } else if (stage_ == Stage::kAsked && now >= next_) {
      enter(Stage::kKilled, SIGKILL, now + kLeftOver);
    }
  }

  void enter(Stage stage, int signal_number, Clock::time_point until) {
    stage_ = stage;
    next_ = until;
    ::kill(-pid_, signal_number);
  }

  pid_t pid_;
  const std::function<bool()>& stop_;
  Clock::time_point began_;
  Clock::time_point next_;  // when the stage ends
  Stage stage_ = Stage::kRunning;
  std::uint64_t arrival_ = 0;
  Transcript transcript_;
  Stream out_;
  Stream err_;
  CommandEnd end_;
};

}  // namespace

Result<CommandEnd> run_command(const CommandLine& line, const v1::HostCommand& planned,
                               const Redactor& redactor, const std::function<bool()>& stop) {
  const Result<std::vector<CommandFile>> files = hold_files(line, stop);
  if (!files) return std::unexpected(files.error());
  if (Status same = check_held(*files, planned); !same) return pass(same);
  Result<StartedCommand> started = start_command(line, files->front());
  if (!started) return pass(started);
  return Supervisor(std::move(*started), line, redactor, stop).run();
}

}  // namespace muniment
