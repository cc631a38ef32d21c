#include "recorder/world/start_command.h"

#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "recorder/core/digest.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

namespace muniment {
namespace {

constexpr mode_t kUmask = 077;
constexpr int kFirstFree = 3;
constexpr int kMostDescriptors = 65536;

// A longer one is run from its own descriptor.
constexpr off_t kMostScriptBytes = 16 << 20;

// Everything that a child needs, made before it is forked: between fork and exec only calls that
// are safe in a signal handler may be made, for other threads may hold any lock.
struct Launch {
  int program = -1;
  bool is_script = false;
  int folder = -1;
  int in = -1;
  int out = -1;
  int err = -1;
  int report = -1;  // takes errno when the program could not be started; closed by exec
  char* const* argv = nullptr;
  char* const* environment = nullptr;
  pid_t parent = -1;
};

void close_others_on_exec() {
  if (::close_range(kFirstFree, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
  for (int fd = kFirstFree; fd < kMostDescriptors; ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

bool prepare_child(const Launch& launch) {
  if (::setsid() < 0 || ::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return false;
  // Died before that call: nobody would ever end us.
  if (::getppid() != launch.parent) return false;
  // What we ignore for ourselves; what was ignored before us (nohup) stays so.
  ::signal(SIGPIPE, SIG_DFL);
  ::signal(SIGXFSZ, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::umask(kUmask);
  if (::dup2(launch.in, STDIN_FILENO) < 0 || ::dup2(launch.out, STDOUT_FILENO) < 0 ||
      ::dup2(launch.err, STDERR_FILENO) < 0 || ::fchdir(launch.folder) != 0) {
    return false;
  }
  close_others_on_exec();
  // The interpreter of a script is handed /dev/fd/N, and opens it after this descriptor would have
  // been closed by exec: it has to stay open. A binary needs none.
  return !launch.is_script || ::fcntl(launch.program, F_SETFD, 0) == 0;
}

[[noreturn]] void become_program(const Launch& launch) {
  if (prepare_child(launch)) {
    ::execveat(launch.program, "", launch.argv, launch.environment, AT_EMPTY_PATH);
  }
  const int error = errno;
  [[maybe_unused]] const ssize_t told = ::write(launch.report, &error, sizeof error);
  ::_exit(127);
}

bool starts_as_script(int fd) {
  std::array<char, 2> first{};
  return ::pread(fd, first.data(), first.size(), 0) == 2 && first[0] == '#' && first[1] == '!';
}

// A copy that nobody can write to: an interpreter reads its script bit by bit while it runs.
// None: this kernel does not let such a file be executed; the script's own descriptor is used.
Result<Fd> seal_script(const CommandFile& script) {
  Fd copy(::memfd_create("command", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC));
  if (!copy.open()) copy.reset(::memfd_create("command", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!copy.open() || script.seen.st_size > kMostScriptBytes) return Fd();
  Sha256 hash;
  std::array<char, 65536> buffer{};
  off_t at = 0;
  while (true) {
    const ssize_t n = ::pread(script.fd.get(), buffer.data(), buffer.size(), at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_failure("read", script.path, errno);
    if (n == 0) break;
    hash.update({buffer.data(), static_cast<std::size_t>(n)});
    if (::write(copy.get(), buffer.data(), static_cast<std::size_t>(n)) != n) return Fd();
    at += n;
  }
  if (hash.finish() != script.sha256) {
    return fail(ErrorCode::kRefused, "the program " + shown_path(script.path) +
                                         " was changed while it was checked; nothing was "
                                         "started, rehearse again");
  }
  const bool sealed = ::fchmod(copy.get(), S_IRUSR | S_IXUSR) == 0 &&
                      ::fcntl(copy.get(), F_ADD_SEALS,
                              F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0 &&
                      ::faccessat(copy.get(), "", X_OK, AT_EMPTY_PATH | AT_EACCESS) == 0;
  if (!sealed) return Fd();
  return copy;
}

// Our standard descriptors may be closed, and what is opened then takes their numbers.
Result<Fd> above_standard(Fd fd, const std::string& what) {
  if (!fd.open()) return system_failure("open", what, errno);
  if (fd.get() >= kFirstFree) return fd;
  Fd moved(::fcntl(fd.get(), F_DUPFD_CLOEXEC, kFirstFree));
  if (!moved.open()) return system_failure("open", what, errno);
  return moved;
}

struct Descriptors {
  Fd program;  // none: the held file's own
  Fd folder;
  Fd in;
  Pipe out;
  Pipe err;
  Pipe report;
};

Status take(Result<Fd> from, Fd& into) {
  if (!from) return pass(from);
  into = std::move(*from);
  return {};
}

Status take_pipe(Pipe& into) {
  Result<Pipe> made = Pipe::make();
  if (!made) return pass(made);
  if (Status ok = take(above_standard(std::move(made->read), "a pipe"), into.read); !ok) return ok;
  return take(above_standard(std::move(made->write), "a pipe"), into.write);
}

Status open_all(const CommandLine& line, const CommandFile& program, Descriptors& all) {
  const int folder_flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  const std::string& folder = line.working_folder;
  Status ok = take(above_standard(Fd(::open(folder.c_str(), folder_flags)), folder), all.folder);
  if (ok)
    ok = take(above_standard(Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)), "/dev/null"), all.in);
  for (Pipe* pipe : {&all.out, &all.err, &all.report}) {
    if (ok) ok = take_pipe(*pipe);
  }
  if (!ok || !starts_as_script(program.fd.get())) return ok;
  Result<Fd> copy = seal_script(program);
  if (!copy) return pass(copy);
  if (copy->open()) ok = take(above_standard(std::move(*copy), program.path), all.program);
  return ok;
}

// What the child said instead of becoming the program; 0: it became it.
int read_report(int fd) {
  int error = 0;
  while (true) {
    const ssize_t n = ::read(fd, &error, sizeof error);
    if (n < 0 && errno == EINTR) continue;
    return n == sizeof error ? error : 0;
  }
}

}  // namespace

Result<StartedCommand> start_command(const CommandLine& line, const CommandFile& program) {
  Descriptors all;
  if (Status opened = open_all(line, program, all); !opened) return pass(opened);
  Result<Fd> own =
      above_standard(Fd(::fcntl(program.fd.get(), F_DUPFD_CLOEXEC, kFirstFree)), program.path);
  if (!own) return pass(own);
  const std::vector<char*> argv = exec_pointers(line.argv);
  const std::vector<char*> environment = exec_pointers(line.environment);
  Launch launch;
  launch.program = all.program.open() ? all.program.get() : own->get();
  launch.is_script = starts_as_script(program.fd.get());
  launch.folder = all.folder.get();
  launch.in = all.in.get();
  launch.out = all.out.write.get();
  launch.err = all.err.write.get();
  launch.report = all.report.write.get();
  launch.argv = argv.data();
  launch.environment = environment.data();
  launch.parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) become_program(launch);
  if (pid < 0) return system_failure("start", program.path, errno);
  all.report.write.reset();
  if (const int error = read_report(all.report.read.get()); error != 0) {
    ::waitpid(pid, nullptr, 0);
    return system_failure("start", program.path, error);
  }
  return StartedCommand{pid, std::move(all.out.read), std::move(all.err.read)};
}

}  // namespace muniment
