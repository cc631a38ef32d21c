// Random worlds: data on disk, a manifest for it, and what dead runs left behind.
#ifndef MUNIMENT_TESTS_SUPPORT_RANDOM_WORLD_H_
#define MUNIMENT_TESTS_SUPPORT_RANDOM_WORLD_H_

#include <string>
#include <vector>

#include "recorder/core/manifest.h"
#include "recorder/log/event_log.h"
#include "tests/support/generator.h"

namespace muniment {

// One world, made below an empty folder. What is drawn:
//   1 to 4 modules: SQLite databases (WAL or rollback, with rows or none, a hot WAL) and trees
//     (links, FIFOs, odd names, exclusions), class written down or left to the ladder;
//   modules that are excluded (class none, [[exclude]] by module or path), and modules that cannot
//     be resolved (missing, a folder for a file, a link, no database, a container, an idle
//     exclusion, one that holds the backup root);
//   compression none or zstd; all modules or some; a gate that does not guard backups;
//   a backup root that is there, missing, deep, a file, writable by all, or has no room;
//   partial folders of dead runs, of runs that are over and of runs that nobody knows.
// An execution in it can fail before its first step, never in a capture.
class RandomWorld {
 public:
  RandomWorld(Generator& draw, std::string folder);

  const Manifest& manifest() const { return manifest_; }
  // In the manifest's order. REQUIRES of callers: the world outlives the pointers.
  const std::vector<const Module*>& selected() const { return selected_; }
  bool all() const { return all_; }
  // Where the store would be; nothing is there.
  std::string store() const { return folder_ + "/store"; }
  // What the log holds before: the runs that the partial folders are of.
  const std::vector<Entry>& history() const { return history_; }
  // All partial folders, and those of them that an execution must remove.
  const std::vector<std::string>& left_behind() const { return left_behind_; }
  const std::vector<std::string>& removable() const { return removable_; }
  bool has_open_runs() const { return open_runs_ > 0; }

 private:
  void add_module(Generator& draw, std::size_t number, bool troubled);
  void make_sqlite(Generator& draw, Module& module);
  void make_files(Generator& draw, Module& module);
  void spoil(Generator& draw, Module& module);
  void make_root(Generator& draw, bool troubled);
  void leave_behind(Generator& draw);
  void add_dead_run(const std::string& run_id, bool over);
  void select(Generator& draw);

  std::string folder_;
  Manifest manifest_;
  std::vector<const Module*> selected_;
  bool all_ = false;
  std::vector<Entry> history_;
  std::vector<std::string> left_behind_;
  std::vector<std::string> removable_;
  std::size_t open_runs_ = 0;
  std::uint64_t next_event_ = 0;
};

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_RANDOM_WORLD_H_
