#include "tests/support/file_faults.h"

#include <elf.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "recorder/core/check.h"

namespace muniment {
namespace {

// Where a call keeps what it is about: a path, a folder and a path below it, or a descriptor.
enum class Shape { kPath, kPathAt, kDescriptor };

struct Call {
  long number;
  const char* name;
  Shape shape;
  unsigned argument;  // the first of them
};

constexpr std::array kCalls = {
#ifdef SYS_open
    Call{SYS_open, "open", Shape::kPath, 0},
    Call{SYS_creat, "creat", Shape::kPath, 0},
    Call{SYS_rename, "rename", Shape::kPath, 0},
    Call{SYS_mkdir, "mkdir", Shape::kPath, 0},
    Call{SYS_rmdir, "rmdir", Shape::kPath, 0},
    Call{SYS_unlink, "unlink", Shape::kPath, 0},
    Call{SYS_link, "link", Shape::kPath, 0},
    Call{SYS_symlink, "symlink", Shape::kPath, 1},
    Call{SYS_chmod, "chmod", Shape::kPath, 0},
#endif
    Call{SYS_openat, "openat", Shape::kPathAt, 0},
    Call{SYS_renameat, "renameat", Shape::kPathAt, 0},
    Call{SYS_renameat2, "renameat2", Shape::kPathAt, 0},
    Call{SYS_mkdirat, "mkdirat", Shape::kPathAt, 0},
    Call{SYS_unlinkat, "unlinkat", Shape::kPathAt, 0},
    Call{SYS_linkat, "linkat", Shape::kPathAt, 0},
    Call{SYS_symlinkat, "symlinkat", Shape::kPathAt, 1},
    Call{SYS_fchmodat, "fchmodat", Shape::kPathAt, 0},
    Call{SYS_truncate, "truncate", Shape::kPath, 0},
    Call{SYS_write, "write", Shape::kDescriptor, 0},
    Call{SYS_pwrite64, "pwrite64", Shape::kDescriptor, 0},
    Call{SYS_writev, "writev", Shape::kDescriptor, 0},
    Call{SYS_pwritev, "pwritev", Shape::kDescriptor, 0},
    Call{SYS_fsync, "fsync", Shape::kDescriptor, 0},
    Call{SYS_fdatasync, "fdatasync", Shape::kDescriptor, 0},
    Call{SYS_sync_file_range, "sync_file_range", Shape::kDescriptor, 0},
    Call{SYS_ftruncate, "ftruncate", Shape::kDescriptor, 0},
    Call{SYS_fallocate, "fallocate", Shape::kDescriptor, 0},
    Call{SYS_fchmod, "fchmod", Shape::kDescriptor, 0},
    Call{SYS_fchown, "fchown", Shape::kDescriptor, 0},
    Call{SYS_close, "close", Shape::kDescriptor, 0},
};

constexpr int kRefused = 125;
constexpr std::chrono::seconds kPatience{120};

std::uintptr_t as_data(int value) {
  return static_cast<std::uintptr_t>(static_cast<unsigned>(value));
}

std::vector<sock_filter> stop_at_calls() {
  std::vector<sock_filter> filter{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (const Call& call : kCalls) {
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call.number),
                              std::uint8_t{0}, std::uint8_t{1}));
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE));
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  return filter;
}

std::string link_target(const std::string& link) {
  std::array<char, 4096> path{};
  const ssize_t size = ::readlink(link.c_str(), path.data(), path.size());
  return {path.data(), size > 0 ? static_cast<std::size_t>(size) : 0U};
}

std::string text_of(pid_t thread, std::uint64_t address) {
  const int memory =
      ::open(("/proc/" + std::to_string(thread) + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  std::string text(4096, '\0');
  const ssize_t size = ::pread(memory, text.data(), text.size(), static_cast<off_t>(address));
  ::close(memory);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0U);
  return text.substr(0, text.find('\0'));
}

std::string path_of(pid_t thread, const Call& call, const std::uint64_t* arguments) {
  const std::string process = "/proc/" + std::to_string(thread);
  const std::uint64_t first = arguments[call.argument];
  const std::string descriptor = process + "/fd/" + std::to_string(static_cast<int>(first));
  if (call.shape == Shape::kDescriptor) return link_target(descriptor);
  if (call.shape == Shape::kPath) return text_of(thread, first);
  std::string path = text_of(thread, arguments[call.argument + 1]);
  if (path.starts_with('/')) return path;
  return link_target(static_cast<int>(first) == AT_FDCWD ? process + "/cwd" : descriptor) + "/" +
         path;
}

// Before the call: it is left out and answers `-error`. After it: only the answer is changed.
void set_answer(pid_t thread, int error, bool leave_out) {
#if defined(__x86_64__)
  user_regs_struct registers{};
  check(::ptrace(PTRACE_GETREGS, thread, nullptr, &registers) == 0, "registers can be read");
  registers.rax = static_cast<unsigned long long>(-static_cast<long long>(error));
  if (leave_out) registers.orig_rax = ~0ULL;
  check(::ptrace(PTRACE_SETREGS, thread, nullptr, &registers) == 0, "registers can be set");
#elif defined(__aarch64__)
  user_regs_struct registers{};
  iovec all{&registers, sizeof registers};
  void* const kind = reinterpret_cast<void*>(NT_PRSTATUS);
  check(::ptrace(PTRACE_GETREGSET, thread, kind, &all) == 0, "registers can be read");
  registers.regs[0] = static_cast<unsigned long long>(-static_cast<long long>(error));
  check(::ptrace(PTRACE_SETREGSET, thread, kind, &all) == 0, "registers can be set");
  int none = -1;
  iovec number{&none, sizeof none};
  if (leave_out) {
    check(::ptrace(PTRACE_SETREGSET, thread, reinterpret_cast<void*>(NT_ARM_SYSTEM_CALL),
                   &number) == 0,
          "a call can be left out");
  }
#else
  check(false, "faults are known for x86-64 and aarch64");
  static_cast<void>(thread), static_cast<void>(error), static_cast<void>(leave_out);
#endif
}

// Kills a process that does not end.
class Watchdog {
 public:
  explicit Watchdog(pid_t pid)
      : thread_([this, pid] {
          std::unique_lock lock(mutex_);
          if (wake_.wait_for(lock, kPatience, [this] { return over_; })) return;
          bit_ = true;
          ::kill(pid, SIGKILL);
        }) {}
  ~Watchdog() { call_off(); }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // Whether it has bitten.
  bool call_off() {
    if (!thread_.joinable()) return bit_;
    {
      const std::scoped_lock lock(mutex_);
      over_ = true;
    }
    wake_.notify_one();
    thread_.join();
    return bit_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool over_ = false;
  bool bit_ = false;
  std::thread thread_;  // last: it uses the rest
};

// Follows one process and its threads until all are gone. Belongs to the thread that forked it.
class Tracer {
 public:
  Tracer(pid_t pid, const FaultPlan& plan, FaultyRun& result)
      : pid_(pid), plan_(plan), result_(result) {}

  // The status with which the process ended.
  int follow() {
    int end = 0;
    for (;;) {
      int status = 0;
      const pid_t thread = ::waitpid(-1, &status, __WALL | __WNOTHREAD);
      if (thread < 0 && errno == EINTR) continue;
      if (thread < 0) return end;
      if (thread == pid_ && !WIFSTOPPED(status)) end = status;
      if (WIFSTOPPED(status)) resume(thread, WSTOPSIG(status), status >> 16);
    }
  }

 private:
  void resume(pid_t thread, int signal, int event) {
    int request = PTRACE_CONT;
    int deliver = 0;
    if (signal == (SIGTRAP | 0x80)) {
      set_answer(thread, error(), false);
    } else if (event == PTRACE_EVENT_SECCOMP) {
      if (!meet_call(thread)) request = PTRACE_SYSCALL;
    } else if (event == 0 && signal != SIGSTOP && signal != SIGTRAP) {
      deliver = signal;  // a new thread begins with SIGSTOP, a new program with SIGTRAP
    }
    // A thread that was killed meanwhile is no longer there.
    ::ptrace(static_cast<__ptrace_request>(request), thread, nullptr, as_data(deliver));
  }

  int error() const { return plan_.fault == Fault::kNoSpace ? ENOSPC : EIO; }

  // False: stop again when the call is over.
  bool meet_call(pid_t thread) {
    __ptrace_syscall_info info{};
    if (::ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) <= 0) return true;
    const auto* const call = std::find_if(kCalls.begin(), kCalls.end(), [&](const Call& known) {
      return static_cast<std::uint64_t>(known.number) == info.seccomp.nr;
    });
    if (call == kCalls.end()) return true;
    // Without flags it asks whether the kernel knows the call: it does nothing that could fail.
    if (call->number == SYS_sync_file_range && info.seccomp.args[3] == 0) return true;
    std::string path = path_of(thread, *call, info.seccomp.args);
    if (!path.starts_with(plan_.under)) return true;
    result_.calls.push_back({call->name, std::move(path)});
    if (plan_.fault == Fault::kNone || result_.calls.size() != plan_.at + 1) return true;
    result_.struck = true;
    if (plan_.fault == Fault::kKill || plan_.fault == Fault::kInterrupt) {
      ::kill(pid_, plan_.fault == Fault::kKill ? SIGKILL : SIGINT);
      return true;
    }
    if (call->number == SYS_close) return false;
    set_answer(thread, error(), true);
    return true;
  }

  pid_t pid_;
  const FaultPlan& plan_;
  FaultyRun& result_;
};

// Only what may be done between fork and exec of a process that has threads.
[[noreturn]] void become(const std::vector<char*>& words, int out, int err,
                         const sock_fprog& filter) {
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (::dup2(nothing, 0) != 0 || ::dup2(out, 1) != 1 || ::dup2(err, 2) != 2) ::_exit(126);
  if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(kRefused);
  ::raise(SIGSTOP);  // the filter below needs a tracer that knows of it
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) ::_exit(kRefused);
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) ::_exit(kRefused);
  ::execvp(words[0], words.data());
  ::_exit(127);
}

std::string content_of(int fd) {
  std::string text(static_cast<std::size_t>(std::max<off_t>(0, ::lseek(fd, 0, SEEK_END))), '\0');
  check(::pread(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()),
        "a buffer in memory can be read");
  ::close(fd);
  return text;
}

}  // namespace

std::string fault_name(Fault fault) {
  if (fault == Fault::kKill) return "SIGKILL";
  if (fault == Fault::kInterrupt) return "SIGINT";
  if (fault == Fault::kIoError) return "EIO";
  return fault == Fault::kNoSpace ? "ENOSPC" : "";
}

FaultyRun run_with_fault(const std::vector<std::string>& argv, const RunWith& with,
                         const FaultPlan& plan) {
  std::vector<std::string> words{"env", "-i", "LC_ALL=C.UTF-8"};
  const char* const search = ::getenv("PATH");
  words.push_back(std::string("PATH=") + (search != nullptr ? search : "/usr/bin:/bin"));
  for (const auto& [name, value] : with.environment) words.push_back(name + "=" + value);
  words.insert(words.end(), argv.begin(), argv.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  std::vector<sock_filter> filter = stop_at_calls();
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  const int out = ::memfd_create("out", MFD_CLOEXEC);
  const int err = ::memfd_create("err", MFD_CLOEXEC);

  const pid_t pid = ::fork();
  check(pid >= 0, "a process can be forked");
  if (pid == 0) become(pointers, out, err, program);
  FaultyRun result;
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (WIFSTOPPED(status)) {
    const int options = PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD |
                        PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;
    check(::ptrace(PTRACE_SETOPTIONS, pid, nullptr, as_data(options)) == 0, "a tracee has options");
    Watchdog watchdog(pid);
    ::ptrace(PTRACE_CONT, pid, nullptr, nullptr);
    status = Tracer(pid, plan, result).follow();
    result.hung = watchdog.call_off();
  }
  result.ran.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  result.ran.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  result.refused = result.ran.exit_code == kRefused;
  result.ran.out = content_of(out);
  result.ran.err = content_of(err);
  return result;
}

}  // namespace muniment
