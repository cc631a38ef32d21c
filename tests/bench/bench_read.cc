// What reading costs when the log is long: `runs --limit 20` as a whole process on a log of a
// million events against the same on an empty one, after a clean close and after a kill -9 of the
// writer.
//
//   muniment_bench_read FOLDER [EVENTS = 1000000] [ROUNDS = 15]
//
// The killed writer is the worst that was seen, not the average one: it runs with 16 appenders and
// dies at a moment when its write-ahead log, which the next reader has to replay, is near its
// longest. All files are in the page cache: what is measured is work, not the disk.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "recorder/core/check.h"
#include "recorder/log/store.h"
#include "tests/bench/measure.h"
#include "tests/support/sample_events.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr const char* kOrigin = "rs2000.example/muniment";
constexpr const char* kWriter = "--write-until-killed";

void make_store(const std::string& folder, std::uint64_t events) {
  constexpr std::uint64_t kTogether = 500;
  check(create_store(folder, {kOrigin, ""}).has_value(), "a store is created");
  const std::unique_ptr<Store> store = *open_store(folder, {});
  for (std::uint64_t at = 0; at < events; at += kTogether) {
    const std::uint64_t count = std::min(kTogether, events - at);
    check(store->append(sample_entries(at, count), at).has_value(), "events are appended");
  }
}

std::uintmax_t wal_bytes(const std::string& store) {
  std::uintmax_t bytes = 0;
  for (const auto& file : fs::directory_iterator(store + "/db")) {
    std::error_code removed;
    const std::uintmax_t size = file.path().extension() == ".log" ? file.file_size(removed) : 0;
    if (!removed) bytes += size;
  }
  return bytes;
}

// Appends until the log has seen its longest WAL for three seconds and nearly reaches it again.
[[noreturn]] void write_until_killed(const std::string& folder, std::uint64_t first) {
  const std::unique_ptr<Store> store = *open_store(folder, {});
  std::atomic<std::uint64_t> next = first;
  std::vector<std::thread> appenders;
  for (int i = 0; i < 16; ++i) {
    appenders.emplace_back([&] {
      while (true) {
        check(store->append({sample_entry(next++)}, std::nullopt).has_value(), "an event is there");
      }
    });
  }
  const auto begin = Clock::now();
  std::uintmax_t longest = 0;
  while (true) {
    const std::uintmax_t now = wal_bytes(folder);
    const double took = seconds_since(begin);
    if ((took > 3 && now > longest * 95 / 100) || took > 30) ::kill(::getpid(), SIGKILL);
    longest = std::max(longest, now);
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
}

// In a process that begins anew: threads of the database do not survive a fork.
void kill_a_writer(const std::string& folder, std::uint64_t first) {
  const std::string self = fs::canonical("/proc/self/exe");
  const std::string number = std::to_string(first);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::execl(self.c_str(), self.c_str(), kWriter, folder.c_str(), number.c_str(), nullptr);
    std::_Exit(127);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "the writer was killed");
}

void measure_runs(const std::string& folder, int rounds) {
  const std::vector<std::string> stores = {"empty", "clean", "killed"};
  std::vector<std::vector<double>> took(stores.size());
  for (int round = -2; round < rounds; ++round) {
    for (std::size_t turn = 0; turn < stores.size(); ++turn) {
      // Nobody is always the first.
      const std::size_t i = (turn + static_cast<std::size_t>(round + 2)) % stores.size();
      const std::string store = folder + "/" + stores[i];
      const Process ran = run_process({muniment_binary(), "-s", store, "runs", "--limit", "20"});
      if (round >= 0) took[i].push_back(ran.seconds * 1000);  // before that, caches are filled
    }
  }
  for (std::size_t i = 0; i < stores.size(); ++i) {
    std::printf("runs --limit 20, %-6s store: ms %s\n", stores[i].c_str(),
                with_spread(took[i], 1).c_str());
  }
  std::printf("clean / empty: %.2f   killed - empty: %.1f ms   killed - clean: %.1f ms\n",
              median(took[1]) / median(took[0]), median(took[2]) - median(took[0]),
              median(took[2]) - median(took[1]));
}

int run(const std::string& folder, std::uint64_t events, int rounds) {
  fs::create_directories(folder);
  const auto begin = Clock::now();
  make_store(folder + "/empty", 0);
  make_store(folder + "/clean", events);
  const double took = seconds_since(begin);
  fs::copy(folder + "/clean", folder + "/killed", fs::copy_options::recursive);
  kill_a_writer(folder + "/killed", events);
  std::printf("%llu events made in %.0f s; the killed writer left %.1f MiB of WAL\n",
              static_cast<unsigned long long>(events), took,
              static_cast<double>(wal_bytes(folder + "/killed")) / (1 << 20));
  measure_runs(folder, rounds);
  return 0;
}

}  // namespace
}  // namespace muniment

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s FOLDER [EVENTS] [ROUNDS]\n", argv[0]);
    return 2;
  }
  if (argc == 4 && std::string(argv[1]) == muniment::kWriter) {
    muniment::write_until_killed(argv[2], std::strtoull(argv[3], nullptr, 10));
  }
  return muniment::run(argv[1], argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1'000'000,
                       argc > 3 ? std::atoi(argv[3]) : 15);
}
