// Runs a program as a user would, and says all that came of it.
#ifndef MUNIMENT_TESTS_SUPPORT_RUN_PROGRAM_H_
#define MUNIMENT_TESTS_SUPPORT_RUN_PROGRAM_H_

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace muniment {

// How a process ended and what it wrote.
struct Ran {
  int exit_code = -1;  // -1: it was ended by `signal`
  int signal = 0;
  std::string out;
  std::string err;
};

// The surroundings. The environment is PATH, LC_ALL=C.UTF-8 and what stands here: nothing else of
// the test's own reaches the program. Standard input is /dev/null.
struct RunWith {
  std::map<std::string, std::string> environment;
  std::optional<mode_t> umask;  // absent: the test's
  std::string cwd;              // empty: the test's
};

// A process that was started and may be looked at, signalled and waited for. One that is still
// there at the end is killed.
class RunningProgram {
 public:
  // `argv[0]` is looked for in PATH. Fails the program (check.h) where nothing can be forked; a
  // program that cannot be executed exits with 127.
  RunningProgram(const std::vector<std::string>& argv, const RunWith& with);
  ~RunningProgram();
  RunningProgram(const RunningProgram&) = delete;
  RunningProgram& operator=(const RunningProgram&) = delete;

  pid_t pid() const { return pid_; }
  void send(int signal) const;
  // What it has written so far.
  std::string out() const;
  std::string err() const;
  // Whether it has ended by now; does not wait.
  bool has_ended();
  // Waits for its end. Can be called again.
  Ran wait();

 private:
  void note_end(int status);

  pid_t pid_ = -1;
  int out_ = -1;
  int err_ = -1;
  std::optional<Ran> ended_;
};

// Starts it and waits for its end.
Ran run_program(const std::vector<std::string>& argv, const RunWith& with = {});

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_RUN_PROGRAM_H_
