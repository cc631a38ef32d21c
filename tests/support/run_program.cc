#include "tests/support/run_program.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "recorder/core/check.h"

namespace muniment {
namespace {

std::vector<std::string> environment_of(const RunWith& with) {
  std::map<std::string, std::string> all{{"LC_ALL", "C.UTF-8"}};
  const char* const path = std::getenv("PATH");
  all["PATH"] = path != nullptr ? path : "/usr/sbin:/usr/bin:/sbin:/bin";
  for (const auto& [name, value] : with.environment) all[name] = value;
  std::vector<std::string> out;
  for (const auto& [name, value] : all) out.push_back(name + "=" + value);
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

// A file in memory takes whatever a program writes: nobody has to read along.
int make_buffer(const char* name) {
  const int fd = ::memfd_create(name, MFD_CLOEXEC);
  check(fd >= 0, "a buffer in memory can be made");
  return fd;
}

std::string content_of(int fd) {
  std::string out;
  std::array<char, 65536> block{};
  for (;;) {
    const ssize_t got = ::pread(fd, block.data(), block.size(), static_cast<off_t>(out.size()));
    check(got >= 0, "a buffer in memory can be read");
    if (got == 0) return out;
    out.append(block.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

RunningProgram::RunningProgram(const std::vector<std::string>& argv, const RunWith& with)
    : out_(make_buffer("out")), err_(make_buffer("err")) {
  check(!argv.empty(), "a program is named");
  std::vector<std::string> words = argv;
  std::vector<std::string> variables = environment_of(with);
  std::vector<char*> word_pointers = pointers(words);
  std::vector<char*> variable_pointers = pointers(variables);
  pid_ = ::fork();
  check(pid_ >= 0, "a process can be forked");
  if (pid_ > 0) return;
  const int nothing = ::open("/dev/null", O_RDONLY);
  const bool ready = ::dup2(nothing, 0) == 0 && ::dup2(out_, 1) == 1 && ::dup2(err_, 2) == 2 &&
                     (with.cwd.empty() || ::chdir(with.cwd.c_str()) == 0);
  if (!ready) ::_exit(126);
  if (with.umask) ::umask(*with.umask);
  // A shell starts what it puts in the background with these ignored, and the program keeps that.
  for (const int number : {SIGINT, SIGQUIT, SIGTERM, SIGHUP}) ::signal(number, SIG_DFL);
  ::execvpe(word_pointers[0], word_pointers.data(), variable_pointers.data());
  ::_exit(127);
}

RunningProgram::~RunningProgram() {
  if (!has_ended()) {
    send(SIGKILL);
    wait();
  }
  ::close(out_);
  ::close(err_);
}

void RunningProgram::send(int signal) const {
  if (!ended_) ::kill(pid_, signal);
}

std::string RunningProgram::out() const {
  return content_of(out_);
}

std::string RunningProgram::err() const {
  return content_of(err_);
}

bool RunningProgram::has_ended() {
  if (ended_) return true;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == pid_) note_end(status);
  return ended_.has_value();
}

Ran RunningProgram::wait() {
  if (ended_) return *ended_;
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0) check(errno == EINTR, "a child can be waited for");
  note_end(status);
  return *ended_;
}

void RunningProgram::note_end(int status) {
  ended_ = Ran{.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
               .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
               .out = out(),
               .err = err()};
}

Ran run_program(const std::vector<std::string>& argv, const RunWith& with) {
  return RunningProgram(argv, with).wait();
}

}  // namespace muniment
