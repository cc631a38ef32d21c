// How long a capture takes, against the pipe that an operator would type.
//
//   muniment_bench_capture DATA_DIR [MEBIBYTES = 2048] [ROUNDS = 5]
//
// Makes in DATA_DIR a tree of files (text-like, a quarter random) and one file with the same
// content. Each round measures, one after the other and with the input in the page cache,
//   pipe:    zstd -3 -T2 -c FILE | sha256sum
//   capture: the capture step of the tree, zstd:3, in a process of its own
//   all:     capture, verify and commit
// and prints the medians, the ratio pipe / ours and the peak of resident memory.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/redact.h"
#include "recorder/world/progress.h"
#include "recorder/world/sinks.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRun = "01890000-0000-7000-8000-000000000001";
constexpr std::size_t kMebibyte = std::size_t{1} << 20U;

class NoProgress : public Progress {
 public:
  void advance(std::uint64_t) override {}
  bool stop_requested() override { return false; }
};

class NoFacts : public Facts {
 public:
  Status record(v1::Event) override { return {}; }
};

int carry_out(const std::string& data, bool all) {
  NoProgress progress;
  NoFacts facts;
  const Redactor redactor;
  const auto sink = make_artifact_sink(progress, redactor);
  v1::Step step;
  step.set_kind(v1::STEP_KIND_CAPTURE);
  step.set_module("bench");
  step.set_backup_class(v1::BACKUP_CLASS_FILES);
  step.mutable_files()->add_paths(data + "/tree");
  step.set_partial_folder(data + "/root/bench/." + kRun + ".partial");
  step.set_final_folder(data + "/root/bench/" + kRun);
  step.set_artifact("bench.tar.zst");
  step.set_compression("zstd:3");
  std::vector<v1::StepKind> kinds{v1::STEP_KIND_CAPTURE};
  if (all) kinds.insert(kinds.end(), {v1::STEP_KIND_VERIFY, v1::STEP_KIND_COMMIT});
  for (const v1::StepKind kind : kinds) {
    step.set_kind(kind);
    const Outcome outcome = sink->perform(step, facts);
    if (outcome.result == v1::STEP_RESULT_APPLIED) continue;
    std::fprintf(stderr, "%s\n", outcome.detail.c_str());
    return 1;
  }
  return 0;
}

// A mebibyte of words, or of noise each fourth time.
std::string piece(std::size_t index, std::mt19937_64& random) {
  std::string out;
  out.reserve(kMebibyte + 64);
  if (index % 4 == 3) {
    while (out.size() < kMebibyte) {
      const std::uint64_t word = random();
      out.append(reinterpret_cast<const char*>(&word), sizeof(word));
    }
  } else {
    static const std::vector<std::string> words = [] {
      std::mt19937_64 letters(7);
      std::vector<std::string> made(4000);
      for (std::string& word : made) {
        for (std::size_t n = 2 + letters() % 9; n > 0; --n) {
          word.push_back(static_cast<char>('a' + letters() % 26));
        }
      }
      return made;
    }();
    while (out.size() < kMebibyte) out += words[random() % words.size()] + ' ';
  }
  out.resize(kMebibyte);
  return out;
}

// Files of 4 KiB to 64 MiB, as a service's data folder has them.
void make_data(const std::string& data, std::size_t mebibytes) {
  fs::create_directories(data + "/tree");
  std::ofstream whole(data + "/file", std::ios::binary);
  std::mt19937_64 random(1);
  std::size_t file = 0;
  for (std::size_t done = 0; done < mebibytes; ++file) {
    const std::string folder = data + "/tree/" + std::to_string(file % 16);
    fs::create_directories(folder);
    std::ofstream one(folder + "/" + std::to_string(file), std::ios::binary);
    const std::size_t size = std::min<std::size_t>(mebibytes - done, 1 + random() % 64);
    if (file % 8 == 7) {
      const std::string small = piece(done++, random);
      for (std::size_t at = 0; at < kMebibyte; at += 4096) {
        std::ofstream(folder + "/s" + std::to_string(file) + "-" + std::to_string(at),
                      std::ios::binary)
            << small.substr(at, 4096);
      }
      whole << small;
      continue;
    }
    for (std::size_t i = 0; i < size; ++i, ++done) {
      const std::string bytes = piece(done, random);
      one << bytes;
      whole << bytes;
    }
  }
}

void read_into_cache(const std::string& path) {
  std::vector<char> buffer(kMebibyte);
  for (const auto& found : fs::recursive_directory_iterator(path)) {
    if (!found.is_regular_file()) continue;
    std::ifstream in(found.path(), std::ios::binary);
    while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()))) {
    }
  }
}

struct Measured {
  double seconds = 0;
  double peak_mib = 0;
};

Measured measure(const std::vector<std::string>& command) {
  const auto start = std::chrono::steady_clock::now();
  const pid_t pid = ::fork();
  if (pid == 0) {
    std::vector<char*> argv;
    for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    ::execv(argv[0], argv.data());
    std::_Exit(127);
  }
  int status = 0;
  struct rusage used{};
  ::wait4(pid, &status, 0, &used);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) std::exit(1);
  return {took.count(), static_cast<double>(used.ru_maxrss) / 1024};
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void compare(const std::string& self, const std::string& data, int rounds) {
  const std::string pipe = "zstd -q -3 -T2 -c " + data + "/file | sha256sum > /dev/null";
  std::vector<double> of_pipe;
  std::vector<double> of_capture;
  std::vector<double> of_all;
  double peak = 0;
  for (int round = 1; round <= rounds; ++round) {
    read_into_cache(data);
    of_pipe.push_back(measure({"/bin/sh", "-c", pipe}).seconds);
    for (const bool all : {false, true}) {
      fs::remove_all(data + "/root");
      ::sync();
      const Measured ours = measure({self, all ? "--all" : "--capture", data});
      (all ? of_all : of_capture).push_back(ours.seconds);
      peak = std::max(peak, ours.peak_mib);
    }
    std::printf("round %d: pipe %.2f s, capture %.2f s, all %.2f s\n", round, of_pipe.back(),
                of_capture.back(), of_all.back());
  }
  const double base = median(of_pipe);
  std::printf("median: pipe %.2f s; capture %.2f s, ratio %.2f; all %.2f s, ratio %.2f\n", base,
              median(of_capture), base / median(of_capture), median(of_all), base / median(of_all));
  std::printf("peak resident memory: %.1f MiB\n", peak);
  fs::remove_all(data + "/root");
}

int main_of(const std::vector<std::string>& words) {
  if (words.size() == 3 && words[1] == "--capture") return carry_out(words[2], false);
  if (words.size() == 3 && words[1] == "--all") return carry_out(words[2], true);
  if (words.size() < 2) {
    std::fprintf(stderr, "usage: %s DATA_DIR [MEBIBYTES] [ROUNDS]\n", words[0].c_str());
    return 2;
  }
  const std::size_t mebibytes =
      words.size() > 2 ? std::strtoull(words[2].c_str(), nullptr, 10) : 2048;
  const int rounds = words.size() > 3 ? std::atoi(words[3].c_str()) : 5;
  const std::string data =
      fs::absolute(words[1] + "/bench_capture_" + std::to_string(mebibytes)).lexically_normal();
  if (!fs::exists(data)) make_data(data, mebibytes);
  compare(fs::canonical("/proc/self/exe"), data, rounds);
  return 0;
}

}  // namespace
}  // namespace muniment

int main(int argc, char** argv) {
  return muniment::main_of({argv, argv + argc});
}
