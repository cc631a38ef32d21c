// What tests of recorder/world share: folders as the product has them, progress that acts on cue,
// and digests and decompression by programs that are not ours.
#ifndef MUNIMENT_TESTS_SUPPORT_WORLD_FIXTURE_H_
#define MUNIMENT_TESTS_SUPPORT_WORLD_FIXTURE_H_

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "recorder/core/check.h"
#include "recorder/world/capture.h"
#include "recorder/world/folders.h"
#include "recorder/world/progress.h"
#include "recorder/world/sink.h"
#include "tests/support/generator.h"
#include "tests/support/read_file.h"
#include "tests/support/run_program.h"

namespace muniment {

inline constexpr const char* kSomeRun = "01890000-0000-7000-8000-000000000001";
inline constexpr const char* kOtherRun = "01890000-0000-7000-8000-000000000002";

inline bool wants_full() {
  const char* const full = std::getenv("MUNIMENT_FULL");
  return full != nullptr && std::string_view(full) == "1";
}

// Calls `act` once, as soon as `at` bytes have gone by; `stop` from then on asks to stop.
struct CueProgress : Progress {
  CueProgress() = default;
  CueProgress(std::uint64_t bytes, std::function<void()> then) : at(bytes), act(std::move(then)) {}

  void advance(std::uint64_t bytes) override {
    total += bytes;
    if (total < at || !act) return;
    std::exchange(act, nullptr)();
  }
  bool stop_requested() override { return stop; }

  std::uint64_t total = 0;
  std::uint64_t at = 0;
  std::function<void()> act;
  bool stop = false;
};

// Keeps what a sink says.
struct KeptFacts : Facts {
  Status record(v1::Event event) override {
    if (refuse) return fail(ErrorCode::kIo, "the log is full");
    events.push_back(std::move(event));
    return {};
  }
  std::vector<v1::Event> events;
  bool refuse = false;
};

inline Folder open_folder(const std::string& path) {
  Folder folder{Fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)), path};
  check(folder.fd.open(), "a folder of the test can be opened");
  return folder;
}

// `size` bytes that no compression shortens, much faster than one by one.
inline std::string noise(Generator& generator, std::size_t size) {
  std::mt19937_64 words(generator.below(std::numeric_limits<std::uint32_t>::max()));
  std::string out(size, '\0');
  for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
    const std::uint64_t word = words();
    std::memcpy(out.data() + at, &word, std::min(sizeof word, size - at));
  }
  return out;
}

// What `work` answers in a child process: there it may give up rights or lower limits. Fails the
// test when the child does not get to the end.
inline std::string in_child(const std::function<std::string()>& work) {
  std::array<int, 2> ends{};
  check(::pipe2(ends.data(), O_CLOEXEC) == 0, "a pipe can be made");
  const pid_t pid = ::fork();
  check(pid >= 0, "a process can be forked");
  if (pid == 0) {
    const std::string answer = work();
    const ssize_t n = ::write(ends[1], answer.data(), answer.size());
    ::_exit(n == static_cast<ssize_t>(answer.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  std::string answer;
  std::array<char, 4096> bytes{};
  for (ssize_t n = 1; n > 0;) {
    n = ::read(ends[0], bytes.data(), bytes.size());
    if (n > 0) answer.append(bytes.data(), static_cast<std::size_t>(n));
  }
  ::close(ends[0]);
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0) << "the child did not get to the end; it said: " << answer;
  return answer;
}

// For in_child(): goes on as a user without rights. False where this process may not change that;
// it is such a user already then, unless it is root.
inline bool become_nobody() {
  constexpr uid_t kNobody = 65534;
  return ::setgroups(0, nullptr) == 0 && ::setresgid(kNobody, kNobody, kNobody) == 0 &&
         ::setresuid(kNobody, kNobody, kNobody) == 0;
}

// The mask for as long as the object lives. The process's own: no other thread may make files.
class Umask {
 public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}
  ~Umask() { ::umask(before_); }
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;

 private:
  mode_t before_;
};

inline struct stat lstat_of(const std::string& path) {
  struct stat facts{};
  EXPECT_EQ(::lstat(path.c_str(), &facts), 0) << path;
  return facts;
}

inline mode_t mode_of(const std::string& path) {
  return lstat_of(path).st_mode & 07777U;
}

inline bool exists(const std::string& path) {
  struct stat facts{};
  return ::lstat(path.c_str(), &facts) == 0;
}

// Standard output of a program that must succeed.
inline std::string output_of(const std::vector<std::string>& argv) {
  const Ran ran = run_program(argv);
  EXPECT_EQ(ran.exit_code, 0) << argv.front() << ": " << ran.err;
  return ran.out;
}

// By coreutils, 64 digits.
inline std::string sha256_by_program(const std::string& path) {
  return output_of({"sha256sum", "-b", "--", path}).substr(0, 64);
}

// The content of a stored artifact by the `zstd` program, or as it is.
inline std::string content_of_stored(const std::string& path, Compression compression) {
  return compression.none() ? read_file(path) : output_of({"zstd", "-d", "-c", "--", path});
}

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_WORLD_FIXTURE_H_
