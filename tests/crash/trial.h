// A store with data to back up, and what must hold of it whatever happened to a program on it.
#ifndef MUNIMENT_TESTS_CRASH_TRIAL_H_
#define MUNIMENT_TESTS_CRASH_TRIAL_H_

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/generator.h"
#include "tests/support/left_on_disk.h"
#include "tests/support/run_binary.h"
#include "tests/support/run_program.h"
#include "tests/support/sample_data.h"

namespace muniment {

// MUNIMENT_FULL=1: the long counts.
inline bool is_full() {
  const char* const full = std::getenv("MUNIMENT_FULL");
  return full != nullptr && std::string_view(full) == "1";
}

// Calls `work` with 0 … count - 1 from two threads.
inline void in_two_lanes(std::size_t count, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  const auto lane = [&] {
    for (std::size_t i = next++; i < count; i = next++) work(i);
  };
  std::jthread other(lane);
  lane();
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  // A last line without its end was cut off by a kill.
  for (std::size_t end = text.find('\n'); end != text.npos; end = text.find('\n', begin)) {
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

// What stands behind `label` up to the next quotation mark.
inline std::string quoted_behind(const std::string& text, const std::string& label) {
  const std::size_t at = text.find(label);
  if (at == text.npos) return "";
  const std::size_t begin = at + label.size();
  return text.substr(begin, text.find('"', begin) - begin);
}

inline std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// Made of the modules `notes` (sqlite) and `photos` (files). Used by one thread.
class Trial {
 public:
  // `rows` in the database, one file of `noise` bytes beside the usual tree.
  explicit Trial(std::uint64_t rows = 100, const std::string& noise = "") {
    rows_ = std::to_string(rows) + "|" + std::to_string(rows * (rows + 1) / 2);
    make_database(here_.database(), {.wal = true, .rows = rows});
    make_tree(here_.files());
    write_text(here_.files() + "/noise", noise);
    here_.write_manifest(here_.modules(), "min_free = \"1MiB\"\n");
  }

  const Workspace& here() const { return here_; }
  void init() const { here_.init(); }
  Ran run(const std::vector<std::string>& arguments) const { return here_.run(arguments); }
  Ran expect_done(const std::vector<std::string>& arguments) const {
    Ran ran = run(arguments);
    EXPECT_EQ(ran.exit_code, 0) << joined(arguments) << "signal " << ran.signal << "\n"
                                << ran.out << ran.err;
    return ran;
  }

  // Every event as `-v` and `events` write it: "#12 step_started notes: capture, step 1".
  std::map<std::string, bool> event_lines() const {
    std::map<std::string, bool> events;
    for (const std::string& line : lines_of(expect_done({"events", "--limit", "1000000"}).out)) {
      events[line.substr(line.find('#'))] = true;
    }
    return events;
  }
  std::map<std::string, std::string> outcomes() const {
    std::map<std::string, std::string> by_run;
    for (const std::string& line :
         lines_of(expect_done({"runs", "--jsonl", "--limit", "100000"}).out)) {
      by_run[quoted_behind(line, "\"run_id\":\"")] = quoted_behind(line, "\"outcome\":\"");
    }
    return by_run;
  }
  std::vector<std::string> runs_with(const std::string& outcome) const {
    std::vector<std::string> runs;
    for (const auto& [run, found] : outcomes()) {
      if (found == outcome) runs.push_back(run);
    }
    return runs;
  }

  std::vector<std::string> partial_folders() const { return find_partial_folders(here_.root()); }

  void expect_intact() const { expect_done({"verify"}); }
  // Nothing incomplete under a final name, nothing that others may read under any.
  void expect_whole_backups() const {
    EXPECT_EQ(joined(find_incomplete(here_.root(), rows_, here_.path("tmp"))), "");
    EXPECT_EQ(joined(find_wrong_modes(here_.root())), "");
  }
  // An execution works, and nothing of those that died is left behind it.
  void expect_clean_execution() const {
    expect_done({"backup", "--all"});
    EXPECT_EQ(joined(partial_folders()), "");
    EXPECT_EQ(joined(runs_with("running")), "");
  }
  void expect_recovery() const {
    expect_clean_execution();
    expect_intact();
    expect_whole_backups();
  }

  // As an operator does who needs the space.
  void remove_backups() const { std::filesystem::remove_all(here_.root()); }

 private:
  Workspace here_;
  std::string rows_;
};

// The events that a program run with `-v` has called durable.
inline std::vector<std::string> acknowledged(const std::string& err) {
  std::vector<std::string> events;
  for (const std::string& line : lines_of(err)) {
    if (line.starts_with('#')) events.push_back(line);
  }
  return events;
}

// "backup_written 3, step_started 5": what the last acknowledged event was, counted.
inline std::string counted(const std::map<std::string, int>& counts) {
  std::string text;
  for (const auto& [name, count] : counts) {
    text += (text.empty() ? "" : ", ") + name + " " + std::to_string(count);
  }
  return text;
}

}  // namespace muniment

#endif  // MUNIMENT_TESTS_CRASH_TRIAL_H_
