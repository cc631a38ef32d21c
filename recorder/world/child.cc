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

struct Pipe {
  Fd read;
  Fd write;
  static Result<Pipe> make() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_failure("make", "a pipe", errno);
    return Pipe{Fd(ends[0]), Fd(ends[1])};
  }
};

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  // posix_spawn takes char* for C's sake and writes nothing there.
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

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

  Result<pid_t> spawn(const std::vector<std::string>& argv,
                      const std::vector<std::string>& environment, int out, int err) {
    posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files_, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files_, err, STDERR_FILENO);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes_, 0);
    pid_t pid = -1;
    const int error = posix_spawnp(&pid, argv.front().c_str(), &files_, &attributes_,
                                   pointers(argv).data(), pointers(environment).data());
    if (error == 0) return pid;
    Error failure = system_error("run", argv.front(), error);
    failure.code = ErrorCode::kUnavailable;
    return std::unexpected(std::move(failure));
  }

 private:
  posix_spawn_file_actions_t files_{};
  posix_spawnattr_t attributes_{};
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

// Reads both streams to their ends; false when time ran out first.
bool read_streams(Fd out, Fd err, Clock::time_point deadline, std::size_t keep_bytes,
                  ChildResult& result) {
  std::array<pollfd, 2> polled{{{out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}}};
  while (polled[0].fd >= 0 || polled[1].fd >= 0) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    if (::poll(polled.data(), polled.size(), static_cast<int>(left.count()) + 1) < 0) continue;
    if (polled[0].revents != 0 && !drain(polled[0].fd, result.out, keep_bytes)) polled[0].fd = -1;
    if (polled[1].revents != 0 && !drain(polled[1].fd, result.err, keep_bytes)) polled[1].fd = -1;
  }
  return true;
}

// A child may close its streams and go on: its end has the same deadline.
bool wait_until(pid_t pid, Clock::time_point deadline, int& status) {
  constexpr int kPauseMs = 5;
  while (true) {
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid) return true;
    if (Clock::now() >= deadline) return false;
    ::poll(nullptr, 0, kPauseMs);
  }
}

}  // namespace

Result<ChildResult> run_child(const std::vector<std::string>& argv,
                              const std::vector<std::string>& environment,
                              std::chrono::milliseconds limit, std::size_t keep_bytes) {
  const Clock::time_point deadline = Clock::now() + limit;
  Result<Pipe> out = Pipe::make();
  if (!out) return pass(out);
  Result<Pipe> err = Pipe::make();
  if (!err) return pass(err);
  const Result<pid_t> pid = Actions().spawn(argv, environment, out->write.get(), err->write.get());
  if (!pid) return std::unexpected(pid.error());
  out->write.reset();
  err->write.reset();
  ChildResult result;
  int status = 0;
  const bool read =
      read_streams(std::move(out->read), std::move(err->read), deadline, keep_bytes, result);
  if (!read || !wait_until(*pid, deadline, status)) {
    ::kill(-*pid, SIGKILL);
    ::waitpid(*pid, &status, 0);
    return fail(ErrorCode::kIo, argv.front() + " did not end within " +
                                    std::to_string(limit.count()) +
                                    " ms and was killed; run it by hand to see why");
  }
  result.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace muniment
