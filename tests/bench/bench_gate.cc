// What asking a gate costs when the log is long: `gate F3 --module notes` as a whole process on a
// log of a million events against the same on one that holds a rehearsal and nothing else.
//
//   muniment_bench_gate FOLDER [EVENTS = 1000000] [ROUNDS = 15]
//
// Both logs hold the policy, one rehearsal and one approval, whose signature ssh-keygen checks each
// time. All files are in the page cache: what is measured is work, not the disk.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "recorder/core/check.h"
#include "recorder/log/store.h"
#include "replay/find_run.h"
#include "tests/bench/measure.h"
#include "tests/support/sample_events.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

using Words = std::vector<std::string>;

void write_private(const std::string& file, const std::string& text) {
  std::ofstream(file) << text;
  fs::permissions(file, fs::perms(0600));
}

std::string first_line(const std::string& file) {
  std::string line;
  std::getline(std::ifstream(file) >> std::ws, line);
  return line;
}

// One host: a manifest, a store, a key of anna's.
class Host {
 public:
  explicit Host(std::string folder) : folder_(std::move(folder)) {
    fs::create_directories(folder_ + "/data");
    write_private(folder_ + "/data/note", "text\n");
    run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder_ + "/anna"});
    write_private(folder_ + "/signers", "anna " + first_line(folder_ + "/anna.pub") + "\n");
    write_private(folder_ + "/muniment.toml",
                  "schema = 1\n[host]\nname = \"bench\"\n[backup]\nroot = \"" + folder_ +
                      "/backups\"\n[[module]]\nname = \"notes\"\nhost = { path = \"" + folder_ +
                      "/data\" }\nclass = \"files\"\ngate = \"F3\"\n[gate.F3]\nguards = "
                      "[\"backup\"]\nsigners = \"" +
                      folder_ +
                      "/signers\"\nneeds = [{ dry_run = \"24h\" }, { no_drift = true }]\n");
    muniment({"init"});
  }

  std::string store() const { return folder_ + "/store"; }

  void rehearse_and_approve() const {
    muniment({"backup", "notes", "--dry-run", "-q"});
    muniment({"approve", "latest:notes", "--gate", "F3", "--module", "notes", "--key",
              folder_ + "/anna", "--confirm", "F3@" + short_digest()});
  }

  double ask() const { return muniment({"gate", "F3", "--module", "notes"}); }

 private:
  std::string short_digest() const {
    const Result<std::unique_ptr<LogReader>> log = open_reader(store());
    check(log.has_value(), "the store is read");
    const Result<v1::RunState> run = find_rehearsal(**log, "latest");
    check(run.has_value(), "there is a rehearsal");
    return run->plan_digest().substr(0, 8);
  }
  static double run(const Words& argv) { return run_process(argv).seconds; }
  double muniment(const Words& words) const {
    Words argv = {muniment_binary(), "-m",      folder_ + "/muniment.toml", "-s",
                  store(),           "--guard", folder_ + "/guard"};
    argv.insert(argv.end(), words.begin(), words.end());
    return run(argv);
  }

  std::string folder_;
};

void fill(const std::string& folder, std::uint64_t events) {
  constexpr std::uint64_t kTogether = 500;
  const std::unique_ptr<Store> store = *open_store(folder, {});
  for (std::uint64_t at = 0; at < events; at += kTogether) {
    const std::uint64_t count = std::min(kTogether, events - at);
    check(store->append(sample_entries(at, count), std::nullopt).has_value(),
          "events are appended");
  }
}

int measure(const std::string& folder, std::uint64_t events, int rounds) {
  const Host empty(folder + "/empty");
  const Host full(folder + "/full");
  fill(full.store(), events);
  empty.rehearse_and_approve();
  full.rehearse_and_approve();
  std::vector<double> empty_ms;
  std::vector<double> full_ms;
  for (int round = -2; round < rounds; ++round) {
    const bool full_first = round % 2 == 0;
    if (full_first) full_ms.push_back(full.ask() * 1000);
    empty_ms.push_back(empty.ask() * 1000);
    if (!full_first) full_ms.push_back(full.ask() * 1000);
    if (round >= 0) continue;  // caches are filled
    full_ms.clear();
    empty_ms.clear();
  }
  std::printf("gate, empty log:      ms %s\n", with_spread(empty_ms, 1).c_str());
  std::printf("gate, %llu events: ms %s\n", static_cast<unsigned long long>(events),
              with_spread(full_ms, 1).c_str());
  std::printf("full / empty: %.2f (goal 1.5)\n", median(full_ms) / median(empty_ms));
  return 0;
}

}  // namespace
}  // namespace muniment

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s FOLDER [EVENTS] [ROUNDS]\n", argv[0]);
    return 2;
  }
  return muniment::measure(argv[1], argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1'000'000,
                           argc > 3 ? std::atoi(argv[3]) : 15);
}
