// How long a backup takes, against the pipe that an operator would type.
//
//   muniment_bench_capture FOLDER [MEBIBYTES = 2048] [ROUNDS = 3]
//
// Makes in FOLDER a tree of files (words, a quarter of it noise), one file with the same content,
// and a SQLite database of the same size. Each round takes, with all of them in the page cache and
// in an order that turns with the rounds, and prints at its end
//   pipe:    zstd -3 -T2 FILE | sha256sum, of the one file or the database: it reads no tree, makes
//            no archive, writes nothing to the disk and could not copy a database that is in use
//   backup:  `muniment backup MODULE` as a process of its own, with the time that its log gives for
//            the capture (to the fsynced artifact, with the content hashed too) and for all of it
//   by hand: what is owed for a database in use: sqlite3 .backup, integrity_check, then the pipe
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "recorder/core/check.h"
#include "recorder/log/queries.h"
#include "recorder/log/store.h"
#include "tests/bench/measure.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMebibyte = std::size_t{1} << 20U;
constexpr double kMostMemory = 64;

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
void make_files(const std::string& data, std::size_t mebibytes) {
  fs::create_directories(data + "/tree");
  std::ofstream whole(data + "/file", std::ios::binary);
  std::mt19937_64 random(1);
  std::size_t file = 0;
  for (std::size_t done = 0; done < mebibytes; ++file) {
    const std::string folder = data + "/tree/" + std::to_string(file % 16);
    fs::create_directories(folder);
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
    std::ofstream one(folder + "/" + std::to_string(file), std::ios::binary);
    const std::size_t size = std::min<std::size_t>(mebibytes - done, 1 + random() % 64);
    for (std::size_t i = 0; i < size; ++i, ++done) {
      const std::string bytes = piece(done, random);
      one << bytes;
      whole << bytes;
    }
  }
}

// Four rows to a page, as a service's tables have them; with the index, as long as the tree.
void make_database(const std::string& path, std::size_t mebibytes) {
  sqlite3* db = nullptr;
  check(sqlite3_open(path.c_str(), &db) == SQLITE_OK, "a database is opened");
  const auto run = [&](const char* sql) {
    check(sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK, sql);
  };
  run("PRAGMA journal_mode=OFF");
  run("PRAGMA synchronous=OFF");
  run("CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, body BLOB)");
  run("BEGIN");
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(db, "INSERT INTO item(name, body) VALUES(?, ?)", -1, &insert, nullptr);
  std::mt19937_64 random(2);
  constexpr std::size_t kRow = 960;
  for (std::size_t done = 0; done < mebibytes * 15 / 16; ++done) {
    const std::string bytes = piece(done, random);
    for (std::size_t at = 0; at + kRow <= kMebibyte; at += kRow) {
      const std::string name = "item " + std::to_string(random() % 1'000'000);
      sqlite3_bind_text(insert, 1, name.data(), static_cast<int>(name.size()), nullptr);
      sqlite3_bind_blob(insert, 2, bytes.data() + at, kRow, nullptr);
      check(sqlite3_step(insert) == SQLITE_DONE, "a row is inserted");
      sqlite3_reset(insert);
    }
  }
  sqlite3_finalize(insert);
  run("COMMIT");
  run("CREATE INDEX item_by_name ON item(name)");
  run("PRAGMA journal_mode=WAL");
  sqlite3_close(db);
}

void make_store(const std::string& data) {
  std::ofstream(data + "/muniment.toml")
      << "schema = 1\n[store]\npath = \"" << data << "/store\"\n[backup]\nroot = \"" << data
      << "/backups\"\ncompression = \"zstd:3\"\n[[module]]\nname = \"files\"\nclass = \"files\"\n"
      << "host = { path = \"" << data << "/tree\" }\n[[module]]\nname = \"sqlite\"\n"
      << "class = \"sqlite\"\nhost = { path = \"" << data << "/data.db\" }\n";
  run_process({muniment_binary(), "-m", data + "/muniment.toml", "init"});
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

// By the log: from the moment the capture was announced to its outcome.
double last_capture_seconds(const std::string& store) {
  const auto log = open_reader(store);
  check(log.has_value(), "the log can be read");
  std::int64_t begin = 0;
  std::int64_t end = 0;
  const Status read = read_events(**log, 0, [&](const StoredEvent& stored) {
    const v1::Event& event = stored.event;
    if (event.step_started().kind() == v1::STEP_KIND_CAPTURE) begin = event.boottime_ns();
    if (event.step_settled().kind() == v1::STEP_KIND_CAPTURE) end = event.boottime_ns();
    return true;
  });
  check(read.has_value() && begin != 0 && end > begin, "the log tells of a capture");
  return static_cast<double>(end - begin) / 1e9;
}

class Comparison {
 public:
  explicit Comparison(std::string data) : data_(std::move(data)) {}

  void round(int number) {
    using Turn = std::function<void()>;
    std::vector<Turn> turns = {[this] { pipe("files", data_ + "/file"); },
                               [this] { backup("files"); },
                               [this] { pipe("sqlite", data_ + "/data.db"); },
                               [this] { backup("sqlite"); }, [this] { by_hand(); }};
    if (number % 2 != 0) std::reverse(turns.begin(), turns.end());
    read_into_cache(data_);
    for (const Turn& turn : turns) {
      fs::remove_all(data_ + "/backups");
      fs::create_directories(data_ + "/backups");
      ::sync();  // nobody writes back what another one left
      turn();
    }
    fs::remove_all(data_ + "/backups");
  }

  void print() const {
    for (const std::string& module : {std::string("files"), std::string("sqlite")}) {
      line(module + ": pipe", module + " pipe");
      line(module + ": capture", module + " capture", module + " pipe");
      line(module + ": whole backup", module + " whole", module + " pipe");
      std::printf("%-24s MiB %.1f (goal: at most %.0f)\n", (module + ": peak memory").c_str(),
                  peak_.at(module), kMostMemory);
    }
    line("sqlite: by hand", "sqlite hand");
    line("sqlite: capture", "sqlite capture", "sqlite hand");
  }

 private:
  std::string pipe_of(const std::string& file) const {
    return "zstd -q -3 -T2 -c '" + file + "' | sha256sum";
  }
  void pipe(const std::string& module, const std::string& file) {
    took_[module + " pipe"].push_back(run_process({"/bin/sh", "-c", pipe_of(file)}).seconds);
  }
  void by_hand() {
    const std::string copy = data_ + "/backups/copy.db";
    took_["sqlite hand"].push_back(
        run_process({"/bin/sh", "-ec",
                     "sqlite3 '" + data_ + "/data.db' \".backup '" + copy + "'\"; sqlite3 '" +
                         copy + "' 'PRAGMA integrity_check'; " + pipe_of(copy)})
            .seconds);
  }
  void backup(const std::string& module) {
    const Process ran =
        run_process({muniment_binary(), "-q", "-m", data_ + "/muniment.toml", "backup", module});
    took_[module + " whole"].push_back(ran.seconds);
    took_[module + " capture"].push_back(last_capture_seconds(data_ + "/store"));
    peak_[module] = std::max(peak_[module], ran.peak_mib);
  }
  void line(const std::string& title, const std::string& which,
            const std::string& base = "") const {
    std::printf("%-24s s %s", title.c_str(), with_spread(took_.at(which), 2).c_str());
    if (!base.empty()) {
      std::printf("   %s / it: %s", base.c_str(),
                  with_spread(ratios(took_.at(base), took_.at(which)), 2).c_str());
    }
    std::printf("\n");
  }

  std::string data_;
  std::map<std::string, std::vector<double>> took_;
  std::map<std::string, double> peak_;
};

int run(const std::string& folder, std::size_t mebibytes, int rounds) {
  const std::string data = fs::absolute(folder).lexically_normal();
  make_files(data, mebibytes);
  make_database(data + "/data.db", mebibytes);
  make_store(data);
  std::printf("tree and file of %zu MiB, database of %.0f MiB, %d rounds\n", mebibytes,
              static_cast<double>(fs::file_size(data + "/data.db")) / (1 << 20), rounds);
  Comparison comparison(data);
  for (int round = 0; round < rounds; ++round) comparison.round(round);
  comparison.print();
  return 0;
}

}  // namespace
}  // namespace muniment

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s FOLDER [MEBIBYTES] [ROUNDS]\n", argv[0]);
    return 2;
  }
  return muniment::run(argv[1], argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 2048,
                       argc > 3 ? std::atoi(argv[3]) : 3);
}
