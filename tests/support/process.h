// Real processes for tests: one that does something and stays until it is ended.
#ifndef MUNIMENT_TESTS_SUPPORT_PROCESS_H_
#define MUNIMENT_TESTS_SUPPORT_PROCESS_H_

#include <fcntl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <functional>

#include "recorder/core/check.h"

namespace muniment {

// Forks a process that runs `work` and then stays, with all that it holds, until it is told to go
// or dies. The constructor returns when the work is done; a child whose work answers false exits.
// REQUIRES: `work` needs no lock that another thread of the caller may hold.
class HeldProcess {
 public:
  explicit HeldProcess(const std::function<bool(const std::function<void()>& stay)>& work) {
    std::array<int, 2> ready{};
    std::array<int, 2> go{};
    check(::pipe2(ready.data(), O_CLOEXEC) == 0 && ::pipe2(go.data(), O_CLOEXEC) == 0,
          "pipes can be made");
    pid_ = ::fork();
    check(pid_ >= 0, "a process can be forked");
    if (pid_ == 0) {
      ::close(go[1]);
      const bool done = work([&] {
        char byte = '+';
        if (::write(ready[1], &byte, 1) != 1) ::_exit(3);
        if (::read(go[0], &byte, 1) < 0) ::_exit(3);
      });
      ::_exit(done ? 0 : 1);
    }
    ::close(ready[1]);
    ::close(go[0]);
    go_ = go[1];
    char byte = 0;
    started_ = ::read(ready[0], &byte, 1) == 1;
    ::close(ready[0]);
  }
  ~HeldProcess() {
    if (pid_ > 0) kill_now();
  }
  HeldProcess(const HeldProcess&) = delete;
  HeldProcess& operator=(const HeldProcess&) = delete;

  pid_t pid() const { return pid_; }
  bool started() const { return started_; }

  // Lets it go on behind stay(); does not wait.
  void let_go() {
    ::close(go_);
    go_ = -1;
  }

  // kill -9, and waits until it is gone.
  void kill_now() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    if (go_ >= 0) ::close(go_);
    pid_ = -1;
    go_ = -1;
  }

 private:
  pid_t pid_ = -1;
  int go_ = -1;
  bool started_ = false;
};

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_PROCESS_H_
