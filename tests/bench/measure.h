// What the benchmarks share: processes that are timed, and numbers that are summed up.
#ifndef MUNIMENT_TESTS_BENCH_MEASURE_H_
#define MUNIMENT_TESTS_BENCH_MEASURE_H_

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace muniment {

inline double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// The value that a share `which` of `values` does not exceed; 0 of no values.
inline double quantile(std::vector<double> values, double which) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::ptrdiff_t>(which * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

inline double median(const std::vector<double>& values) {
  return quantile(values, 0.5);
}

// "MEDIAN (LOWEST to HIGHEST)".
inline std::string with_spread(const std::vector<double>& values, int decimals) {
  char text[96];
  std::snprintf(text, sizeof text, "%.*f (%.*f to %.*f)", decimals, median(values), decimals,
                quantile(values, 0), decimals, quantile(values, 1));
  return text;
}

// Each of `above` divided by the one of `below` of the same round.
inline std::vector<double> ratios(const std::vector<double>& above,
                                  const std::vector<double>& below) {
  std::vector<double> out;
  for (std::size_t i = 0; i < above.size(); ++i) out.push_back(above[i] / below[i]);
  return out;
}

struct Process {
  double seconds = 0;
  double cpu_seconds = 0;  // of all its threads, in the kernel too
  double peak_mib = 0;     // the kernel's ru_maxrss: all threads; not below what /proc calls VmHWM
};

// Runs a program to its end, its standard output thrown away. Ends the benchmark when it fails.
inline Process run_process(const std::vector<std::string>& command) {
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const auto begin = std::chrono::steady_clock::now();
  const pid_t pid = ::fork();
  if (pid == 0) {
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(nowhere, STDOUT_FILENO);
    ::execvp(argv[0], argv.data());
    std::_Exit(127);
  }
  int status = 0;
  struct rusage used{};
  const bool ended = pid > 0 && ::wait4(pid, &status, 0, &used) == pid;
  const double took = seconds_since(begin);
  if (!ended || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    std::fprintf(stderr, "bench: failed (status %d):", status);
    for (const std::string& word : command) std::fprintf(stderr, " %s", word.c_str());
    std::fprintf(stderr, "\n");
    std::exit(1);
  }
  const auto seconds = [](const struct timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return {took, seconds(used.ru_utime) + seconds(used.ru_stime),
          static_cast<double>(used.ru_maxrss) / 1024};
}

// The program under test, as script/bench names it.
inline std::string muniment_binary() {
  const char* path = std::getenv("MUNIMENT_BINARY");
  if (path != nullptr) return path;
  std::fprintf(stderr, "bench: set MUNIMENT_BINARY to the program (script/bench does)\n");
  std::exit(2);
}

}  // namespace muniment

#endif  // MUNIMENT_TESTS_BENCH_MEASURE_H_
