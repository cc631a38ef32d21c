#include "tests/support/random_world.h"

#include <sys/stat.h>

#include <filesystem>

#include "recorder/core/check.h"
#include "tests/support/sample_data.h"
#include "tests/support/sample_events.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

void set_mode(const std::string& path, mode_t mode) {
  check(::chmod(path.c_str(), mode) == 0, "a mode can be set");
}

std::string odd_name(Generator& draw) {
  static constexpr const char* kNames[] = {"plain.txt", "two words",  "new\nline",    "\xff\xfe",
                                           "\x1b[31m",  "-rf",        "\xe2\x80\xae", "tmp_scratch",
                                           "a\\b",      "caf\xc3\xa9"};
  return std::string(kNames[draw.below(std::size(kNames))]) + std::to_string(draw.below(4));
}

void fill(Generator& draw, const std::string& folder, std::size_t depth) {
  fs::create_directories(folder);
  for (std::size_t i = draw.below(5); i > 0; --i) {
    const std::string path = folder + "/" + odd_name(draw);
    if (fs::exists(fs::symlink_status(path))) continue;
    switch (draw.below(8)) {
      case 0:
        fs::create_symlink(draw.one_in(2) ? "plain.txt0" : "/nowhere", path);
        break;
      case 1:
        check(::mkfifo(path.c_str(), 0600) == 0, "a FIFO can be made");
        break;
      case 2:
      case 3:
        if (depth > 0) fill(draw, path, depth - 1);
        break;
      default:
        write_text(path, draw.bytes(draw.below(3000)));
        set_mode(path, draw.one_in(4) ? 0400 : 0644);
    }
  }
}

}  // namespace

RandomWorld::RandomWorld(Generator& draw, std::string folder) : folder_(std::move(folder)) {
  manifest_.host_name = "testhost";
  manifest_.compression = draw.one_in(2) ? "none" : "zstd";
  manifest_.zstd_level = static_cast<int>(draw.between(1, 3));
  manifest_.backup_root = folder_ + "/backups";
  fs::create_directory(folder_ + "/data");
  const bool troubled = draw.one_in(3);
  const std::size_t count = draw.between(1, 4);
  for (std::size_t i = 0; i < count; ++i) add_module(draw, i, troubled);
  make_root(draw, troubled && draw.one_in(2));
  if (draw.one_in(3)) leave_behind(draw);
  if (draw.one_in(4)) {
    Gate& gate = manifest_.gates["F3"];
    gate.name = "F3";
    gate.guards = {"restore"};
    manifest_.modules.front().gate = "F3";
  }
  select(draw);
}

void RandomWorld::add_module(Generator& draw, std::size_t number, bool troubled) {
  Module& module = manifest_.modules.emplace_back();
  module.name = "m" + std::to_string(number);
  module.host_path = folder_ + "/data/" + module.name;
  if (draw.one_in(2)) {
    make_sqlite(draw, module);
  } else {
    make_files(draw, module);
  }
  if (troubled && draw.one_in(2)) spoil(draw, module);
  if (!draw.one_in(8)) return;
  if (draw.one_in(2)) {
    module.backup_class = v1::BACKUP_CLASS_NONE;
    module.reason = "rebuilt from the release root";
    return;
  }
  const bool by_path = draw.one_in(2);
  manifest_.excludes.push_back({.at = {},
                                .id = "X" + std::to_string(number),
                                .kind = by_path ? "path" : "module",
                                .pattern = by_path ? module.host_path : module.name,
                                .reason = "deployment control"});
}

void RandomWorld::make_sqlite(Generator& draw, Module& module) {
  module.backup_class = draw.one_in(3) ? v1::BACKUP_CLASS_UNSPECIFIED : v1::BACKUP_CLASS_SQLITE;
  if (draw.one_in(6)) {
    make_database_with_hot_wal(module.host_path, draw.between(1, 500));
  } else {
    make_database(module.host_path, {.wal = draw.one_in(2), .rows = draw.below(3) * 200});
  }
}

void RandomWorld::make_files(Generator& draw, Module& module) {
  module.backup_class = v1::BACKUP_CLASS_FILES;
  fill(draw, module.host_path, 2);
  module.allow_empty = !draw.one_in(4);
  if (!draw.one_in(3)) return;
  write_text(module.host_path + "/skip_me", "left out");
  write_text(module.host_path + "/kept", "not left out");
  module.exclude.push_back(draw.one_in(2) ? module.host_path + "/**/skip_*"
                                          : module.host_path + "/skip_me");
}

void RandomWorld::spoil(Generator& draw, Module& module) {
  const auto replace = [&] { fs::remove_all(module.host_path); };
  switch (draw.below(7)) {
    case 0:
      replace();
      break;
    case 1:
      replace();
      fs::create_symlink(folder_, module.host_path);
      break;
    case 2:
      replace();
      write_text(module.host_path, draw.one_in(2) ? "" : "no database");
      module.backup_class = v1::BACKUP_CLASS_SQLITE;
      break;
    case 3:
      replace();
      fs::create_directory(module.host_path);
      module.backup_class = draw.one_in(2) ? v1::BACKUP_CLASS_SQLITE : v1::BACKUP_CLASS_UNSPECIFIED;
      break;
    case 4:
      module.container.name = "a-container";
      module.host_path.clear();
      break;
    case 5:
      module.exclude.push_back(folder_ + "/data/idle/**");
      break;
    default:
      module.host_path = folder_;
      module.backup_class = v1::BACKUP_CLASS_FILES;
  }
}

void RandomWorld::make_root(Generator& draw, bool troubled) {
  const std::string root = manifest_.backup_root;
  if (troubled) {
    switch (draw.below(3)) {
      case 0:
        return write_text(root, "no folder");
      case 1:
        fs::create_directory(root);
        return set_mode(root, 0777);
      default:
        manifest_.min_free_bytes = std::uint64_t{1} << 60U;
    }
  }
  if (draw.one_in(3)) manifest_.backup_root += "/deep/er";
  if (draw.one_in(2)) {
    fs::create_directories(manifest_.backup_root);
    for (std::string at = manifest_.backup_root; at.size() >= root.size();
         at = fs::path(at).parent_path()) {
      set_mode(at, 0700);
    }
  }
}

void RandomWorld::add_dead_run(const std::string& run_id, bool over) {
  const auto append = [&](v1::Event event) {
    set_sample_envelope(event, next_event_++);
    event.set_run_id(run_id);
    event.set_mode(v1::MODE_EXECUTION);
    history_.push_back({event.SerializeAsString(), {}});
  };
  v1::Event start;
  start.mutable_run_started()->set_purpose("backup");
  start.mutable_run_started()->set_backup_root(manifest_.backup_root);
  append(start);
  if (over) {
    v1::Event end;
    end.mutable_run_finished()->set_outcome(v1::RUN_OUTCOME_FAILED);
    append(end);
  } else {
    ++open_runs_;
  }
}

// Open runs come last in the log: a run's start is appended with the end of all open runs before.
void RandomWorld::leave_behind(Generator& draw) {
  if (fs::exists(manifest_.backup_root) && !fs::is_directory(manifest_.backup_root)) return;
  const std::size_t over = draw.below(2);
  const std::size_t open = draw.below(3);
  const std::size_t unknown = draw.below(2);
  for (std::size_t i = 0; i < over + open + unknown; ++i) {
    const std::string run_id = sample_uuid(i + 1, 3);
    const bool known = i < over + open;
    if (known) add_dead_run(run_id, i < over);
    const std::string module = draw.one_in(4) ? "gone" : manifest_.modules.front().name;
    const std::string folder = manifest_.backup_root + "/" + module;
    if (draw.one_in(4) || !fs::exists(manifest_.backup_root)) continue;
    fs::create_directory(folder);
    set_mode(folder, 0700);
    const std::string partial = folder + "/." + run_id + ".partial";
    fs::create_directory(partial);
    write_text(partial + "/half", draw.bytes(draw.below(5000)));
    left_behind_.push_back(partial);
    const bool unsafe = draw.one_in(6);
    set_mode(partial, unsafe ? 0777 : 0700);
    const bool root_safe = (fs::status(manifest_.backup_root).permissions() &
                            fs::perms::others_write) == fs::perms::none;
    if (known && !unsafe && root_safe) removable_.push_back(partial);
  }
}

void RandomWorld::select(Generator& draw) {
  all_ = draw.one_in(2);
  for (const Module& module : manifest_.modules) {
    if (all_ || !draw.one_in(4)) selected_.push_back(&module);
  }
  if (selected_.empty()) selected_.push_back(&manifest_.modules.front());
}

}  // namespace muniment
