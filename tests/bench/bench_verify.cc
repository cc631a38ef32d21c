// What a full verification costs beside SHA-256 alone over the same leaves and tree nodes: the
// least that any verifier of the tree has to do. In processor time, which a busy machine changes
// little; and how much sooner it is done on two cores than on one.
//
//   muniment_bench_verify FOLDER [EVENTS = 300000] [ROUNDS = 5]
//
// The published log is what a stranger checks: entries, tree and signature, without a store.
//
// `verify` is the whole process: it opens the store, reads every file and every row, derives tree,
// index and summaries again, and checks signatures. SHA-256 hashes bytes in memory, on one core.
// All files are in the page cache: what is measured is work, not the disk.
#include <sched.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "recorder/core/check.h"
#include "recorder/core/digest.h"
#include "recorder/log/key_codec.h"
#include "recorder/log/log_key.h"
#include "recorder/log/merkle.h"
#include "recorder/log/sign.h"
#include "recorder/log/store.h"
#include "tests/bench/measure.h"
#include "tests/support/sample_store.h"

namespace muniment {
namespace {

constexpr const char* kOrigin = "rs2000.example/muniment";

std::string store_in(const std::string& folder) {
  return folder + "/store";
}

std::string guard_in(const std::string& folder) {
  return folder + "/guard";
}

void make_store(const std::string& folder, std::uint64_t events) {
  constexpr std::uint64_t kTogether = 500;
  check(create_store(store_in(folder), {kOrigin, ""}).has_value(), "a store is created");
  check(make_log_key(store_in(folder), kOrigin).has_value(), "a key is made");
  const std::unique_ptr<Store> store = *open_store(store_in(folder), {});
  for (std::uint64_t at = 0; at < events; at += kTogether) {
    const std::uint64_t count = std::min(kTogether, events - at);
    check(store->append(sample_entries_with_blobs(at, count), at).has_value(),
          "events are appended");
  }
  const Result<LogKeys> keys = read_log_keys(store_in(folder), *store);
  check(keys && sign_checkpoint(*store, *keys, guard_in(folder)), "the log is signed");
}

double cpu_now() {
  struct timespec now{};
  check(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0, "a thread has a clock");
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// Processor time that the hashes alone take: leaves and nodes, without reading or making them.
double hash_all(const LogReader& log) {
  double took = 0;
  CompactRange tree;
  std::vector<std::string> leaves;
  const auto hash = [&] {
    const double begin = cpu_now();
    for (const std::string& leaf : leaves) {
      tree.append(leaf_hash(leaf), [](std::uint8_t, std::uint64_t, const Digest&) {});
    }
    took += cpu_now() - begin;
    leaves.clear();
  };
  const Status scanned = log.scan(Table::kEvent, "", Direction::kForward, [&](auto, auto value) {
    leaves.emplace_back(value);
    if (leaves.size() == 10'000) hash();
    return true;
  });
  check(scanned.has_value(), "the events can be read");
  hash();
  check(as_bytes(tree.root()) == log.state()->root(), "the same leaves and nodes");
  return took;
}

// On cores 0 … count - 1, as far as they exist; processes that are started inherit it.
void use_cores(int count) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int i = 0; i < count; ++i) CPU_SET(static_cast<unsigned>(i), &set);
  check(::sched_setaffinity(0, sizeof set, &set) == 0, "cores can be chosen");
}

void measure(const std::string& folder, int rounds) {
  const std::vector<std::string> command = {muniment_binary(), "-s",    store_in(folder), "--guard",
                                            guard_in(folder),  "verify"};
  const std::string published = folder + "/log";
  run_process({muniment_binary(), "-s", store_in(folder), "publish", published});
  const std::vector<std::string> stranger = {
      muniment_binary(), "verify", published, "--key",
      vkey_of(*read_verifier_key(store_in(folder), kOrigin))};
  const Result<std::unique_ptr<LogReader>> log = open_reader(store_in(folder));
  check(log.has_value(), "the store can be read");
  const double events = static_cast<double>((*log)->state()->size());
  std::vector<double> bare;
  std::vector<double> work;
  std::vector<double> files;
  std::vector<double> one;
  std::vector<double> two;
  for (int round = -1; round < rounds; ++round) {
    use_cores(1);
    const double hashed = hash_all(**log);
    const Process alone = run_process(command);
    const Process by_files = run_process(stranger);
    use_cores(2);
    const Process both = run_process(command);
    if (round < 0) continue;  // before that, caches are filled
    bare.push_back(hashed);
    work.push_back(alone.cpu_seconds);
    files.push_back(by_files.cpu_seconds);
    one.push_back(alone.seconds);
    two.push_back(both.seconds);
  }
  const auto rate = [&](std::vector<double> seconds) {
    for (double& value : seconds) value = events / value / 1000;
    return with_spread(seconds, 0);
  };
  std::printf("SHA-256 of leaves and nodes: %s thousand events per second of processor time\n",
              rate(bare).c_str());
  std::printf("verify: %s thousand, %s times SHA-256\n", rate(work).c_str(),
              with_spread(ratios(work, bare), 2).c_str());
  std::printf("verify of the published log: %s thousand, %s times SHA-256\n", rate(files).c_str(),
              with_spread(ratios(files, bare), 2).c_str());
  std::printf("verify, 1 core:  %s thousand events/s\n", rate(one).c_str());
  std::printf("verify, 2 cores: %s thousand events/s, %s times as fast\n", rate(two).c_str(),
              with_spread(ratios(one, two), 2).c_str());
}

int run(const std::string& folder, std::uint64_t events, int rounds) {
  std::filesystem::create_directories(folder);
  if (!std::filesystem::exists(store_in(folder))) make_store(folder, events);
  measure(folder, rounds);
  return 0;
}

}  // namespace
}  // namespace muniment

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s FOLDER [EVENTS] [ROUNDS]\n", argv[0]);
    return 2;
  }
  return muniment::run(argv[1], argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 300'000,
                       argc > 3 ? std::atoi(argv[3]) : 5);
}
