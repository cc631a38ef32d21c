// What a proof costs in logs of a thousand, a hundred thousand and ten million events: inclusion of
// an event anywhere, consistency from any older size, made from the store on disk and verified.
//
//   muniment_bench_proof FOLDER [PROOFS = 2000]      the largest log takes 6 GiB and some minutes
//
// A proof is a few dozen reads of 32 bytes, so the reads decide: RocksDB's block cache and the page
// cache are filled by use, not before.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "recorder/core/check.h"
#include "recorder/core/tlog/tree_proof.h"
#include "recorder/log/key_codec.h"
#include "recorder/log/prover.h"
#include "recorder/log/queries.h"
#include "recorder/log/store.h"
#include "tests/bench/measure.h"
#include "tests/support/sample_events.h"

namespace muniment {
namespace {

using Clock = std::chrono::steady_clock;

void grow(Store& store, std::uint64_t to) {
  constexpr std::uint64_t kTogether = 500;
  for (std::uint64_t at = store.state()->size(); at < to;) {
    const std::uint64_t count = std::min(kTogether, to - at);
    check(store.append(sample_entries(at, count), at).has_value(), "events are appended");
    at += count;
  }
}

double microseconds(Clock::time_point begin) {
  return seconds_since(begin) * 1e6;
}

void measure(const LogReader& log, std::uint64_t size, int proofs) {
  std::mt19937_64 chance(size);
  const Digest root = *root_at(log, size);
  std::vector<double> inclusion;
  std::vector<double> consistency;
  std::vector<double> verified;
  for (int i = 0; i < proofs; ++i) {
    const std::uint64_t index = chance() % size;
    auto begin = Clock::now();
    const std::vector<Digest> included = *prove_inclusion(log, index, size);
    inclusion.push_back(microseconds(begin));
    const std::string leaf = **log.get(Table::kNode, node_key(0, index));
    begin = Clock::now();
    check(verify_inclusion(digest_from_bytes(leaf), index, size, included, root).has_value(),
          "an inclusion proof holds");
    verified.push_back(microseconds(begin));
    const std::uint64_t old_size = 1 + chance() % size;
    begin = Clock::now();
    const std::vector<Digest> consistent = *prove_consistency(log, old_size, size);
    consistency.push_back(microseconds(begin));
    check(verify_consistency(old_size, size, consistent, *root_at(log, old_size), root).has_value(),
          "a consistency proof holds");
  }
  const auto show = [](const char* what, const std::vector<double>& us) {
    std::printf("  %-21s p50 %7.1f us   p99 %7.1f us\n", what, quantile(us, 0.5),
                quantile(us, 0.99));
  };
  std::printf("%llu events\n", static_cast<unsigned long long>(size));
  show("inclusion, made", inclusion);
  show("inclusion, verified", verified);
  show("consistency, made", consistency);
}

int run(const std::string& folder, int proofs) {
  std::filesystem::create_directories(folder);
  const std::string path = folder + "/store";
  check(create_store(path, {"bench/muniment", ""}).has_value(), "a store is created");
  for (const std::uint64_t size : {1'000ULL, 100'000ULL, 10'000'000ULL}) {
    {
      const std::unique_ptr<Store> store = *open_store(path, {});
      grow(*store, size);
    }
    const std::unique_ptr<LogReader> log = *open_reader(path);
    measure(*log, size, proofs);
  }
  return 0;
}

}  // namespace
}  // namespace muniment

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s FOLDER [PROOFS]\n", argv[0]);
    return 2;
  }
  return muniment::run(argv[1], argc > 2 ? std::atoi(argv[2]) : 2000);
}
