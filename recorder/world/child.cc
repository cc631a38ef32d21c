#include "recorder/world/child.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "recorder/world/os.h"

namespace muniment {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kStopTick{100};
constexpr std::chrono::milliseconds kGrace{2000};

class Actions {
 public:
  Actions() {
    posix_spawn_file_actions_init(&files_);
    posix_spawnattr_init(&attributes_);
  }
  ~Actions() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;

  void read_nothing() {
    posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  void give(int fd, int as) { posix_spawn_file_actions_adddup2(&files_, fd, as); }
  void make_group() {
    flags_ |= POSIX_SPAWN_SETPGROUP;
    posix_spawnattr_setpgroup(&attributes_, 0);
  }

  Result<pid_t> spawn(const std::vector<std::string>& argv,
                      const std::vector<std::string>& environment) {
    posix_spawnattr_setflags(&attributes_, flags_);
    pid_t pid = -1;
    const int error = posix_spawnp(&pid, argv.front().c_str(), &files_, &attributes_,
                                   exec_pointers(argv).data(), exec_pointers(environment).data());
    if (error == 0) return pid;
    Error failure = system_error("run", argv.front(), error);
    failure.code = ErrorCode::kUnavailable;
    return std::unexpected(std::move(failure));
  }

 private:
  posix_spawn_file_actions_t files_{};
  posix_spawnattr_t attributes_{};
  short flags_ = 0;
};

// Takes what is there; false at the end of the stream.
bool drain(int fd, std::string& into, std::size_t keep_bytes) {
  std::array<char, 16384> buffer{};
  const ssize_t n = ::read(fd, buffer.data(), buffer.size());
  if (n < 0) return errno == EINTR || errno == EAGAIN;
  const std::size_t room = keep_bytes - std::min(keep_bytes, into.size());
  into.append(buffer.data(), std::min(room, static_cast<std::size_t>(n)));
  return n != 0;
}

// How long a child may go on.
struct Patience {
  std::optional<Clock::time_point> deadline;
  std::function<bool()> stop;

  bool is_over() const { return deadline ? Clock::now() >= *deadline : stop && stop(); }
  // For poll(): never beyond the deadline by more than a millisecond.
  int wait_ms() const {
    if (!deadline) return static_cast<int>(kStopTick.count());
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(*deadline - Clock::now());
    return static_cast<int>(std::max<std::int64_t>(left.count(), 0)) + 1;
  }
};

// Reads both streams to their ends; false when patience was over first.
bool read_streams(Fd out, Fd err, const Patience& patience, std::size_t keep_bytes,
                  ChildResult& result) {
  std::array<pollfd, 2> polled{{{out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}}};
  while (polled[0].fd >= 0 || polled[1].fd >= 0) {
    if (patience.is_over()) return false;
    if (::poll(polled.data(), polled.size(), patience.wait_ms()) <= 0) continue;
    if (polled[0].revents != 0 && !drain(polled[0].fd, result.out, keep_bytes)) polled[0].fd = -1;
    if (polled[1].revents != 0 && !drain(polled[1].fd, result.err, keep_bytes)) polled[1].fd = -1;
  }
  return true;
}

// A child may close its streams and go on: its end has the same deadline.
bool wait_until(pid_t pid, const Patience& patience, int& status) {
  constexpr int kPauseMs = 5;
  while (true) {
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid) return true;
    if (patience.is_over()) return false;
    ::poll(nullptr, 0, kPauseMs);
  }
}

// It may have switched off the terminal's echo: it is asked to end before it is made to.
void end_gently(pid_t pid, int& status) {
  ::kill(pid, SIGTERM);
  if (wait_until(pid, {Clock::now() + kGrace, {}}, status)) return;
  ::kill(pid, SIGKILL);
  ::waitpid(pid, &status, 0);
}

Result<ChildResult> attend(pid_t pid, Pipe out, Pipe err, const std::string& program,
                           const ChildTerms& terms, const Patience& patience) {
  out.write.reset();
  err.write.reset();
  ChildResult result;
  int status = 0;
  const bool ended =
      read_streams(std::move(out.read), std::move(err.read), patience, terms.keep_bytes, result) &&
      wait_until(pid, patience, status);
  if (!ended && terms.limit) {
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, &status, 0);
    return fail(ErrorCode::kIo, program + " did not end within " +
                                    std::to_string(terms.limit->count()) +
                                    " ms and was killed; run it by hand to see why");
  }
  if (!ended) end_gently(pid, status);
  if (!ended || (!terms.limit && WIFSIGNALED(status) && WTERMSIG(status) == SIGINT)) {
    return fail(ErrorCode::kInterrupted, program + " was interrupted; nothing came of it");
  }
  result.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

Result<ChildResult> start(Actions& actions, const std::vector<std::string>& argv,
                          const std::vector<std::string>& environment, const ChildTerms& terms) {
  Patience patience{std::nullopt, terms.stop};
  if (terms.limit) patience.deadline = Clock::now() + *terms.limit;
  Result<Pipe> out = Pipe::make();
  if (!out) return pass(out);
  Result<Pipe> err = Pipe::make();
  if (!err) return pass(err);
  actions.give(out->write.get(), STDOUT_FILENO);
  actions.give(err->write.get(), STDERR_FILENO);
  if (terms.limit) actions.make_group();
  const Result<pid_t> pid = actions.spawn(argv, environment);
  if (!pid) return std::unexpected(pid.error());
  return attend(*pid, std::move(*out), std::move(*err), argv.front(), terms, patience);
}

// Puts the path of each file in the place of its mark. The child keeps the descriptor's number.
Result<std::vector<Fd>> give_files(const std::vector<std::string>& contents, Actions& actions,
                                   std::vector<std::string>& argv) {
  std::vector<Fd> files;
  for (const std::string& content : contents) {
    Result<Fd> file = make_memory_file("a file for " + argv.front(), content);
    if (!file) return pass(file);
    actions.give(file->get(), file->get());
    std::replace(argv.begin(), argv.end(), "{" + std::to_string(files.size()) + "}",
                 "/proc/self/fd/" + std::to_string(file->get()));
    files.push_back(std::move(*file));
  }
  return files;
}

}  // namespace

Result<ChildResult> run_child(const std::vector<std::string>& argv,
                              const std::vector<std::string>& environment,
                              std::chrono::milliseconds limit, std::size_t keep_bytes) {
  ChildTerms terms;
  terms.limit = limit;
  terms.keep_bytes = keep_bytes;
  Actions actions;
  actions.read_nothing();
  return start(actions, argv, environment, terms);
}

Result<ChildResult> run_child_with(const std::vector<std::string>& argv,
                                   const std::vector<std::string>& environment,
                                   const ChildTerms& terms) {
  Actions actions;
  std::vector<std::string> words = argv;
  const Result<std::vector<Fd>> files = give_files(terms.files, actions, words);
  if (!files) return std::unexpected(files.error());
  const Result<Fd> input = make_memory_file("input for " + argv.front(), terms.input);
  if (!input) return std::unexpected(input.error());
  actions.give(input->get(), STDIN_FILENO);
  return start(actions, words, environment, terms);
}

}  // namespace muniment
