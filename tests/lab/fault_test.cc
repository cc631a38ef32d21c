// What goes wrong with containers and their engine, by class, moment and fault: nothing is called a
// backup that is none.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "tests/cli/small_disk.h"
#include "tests/lab/fault_subjects.h"
#include "tests/lab/lab_faults.h"
#include "tests/support/engine_proxy.h"

namespace muniment {
namespace {

using Moment = ProxyFault::Moment;

enum class Fault {
  kEngineGone,
  kKilled,
  kPaused,
  kRemoved,
  kToolMissing,
  kWrongPassword,
  kFullDisk,
  kHalfFrame,
  kStalled,
};

const char* name_of(Fault fault) {
  constexpr const char* kNames[] = {"engine gone",       "container killed", "container paused",
                                    "container removed", "tool missing",     "wrong password",
                                    "full disk",         "half a frame",     "stalled stream"};
  return kNames[static_cast<int>(fault)];
}

const char* name_of(Moment moment) {
  constexpr const char* kNames[] = {"before the run", "before the step", "in the stream",
                                    "behind the stream"};
  return kNames[static_cast<int>(moment)];
}

// kNone: before the run.
struct Case {
  Moment moment;
  Fault fault;
};

std::vector<Case> cases_of(const std::string& backup_class, bool podman) {
  std::vector<Case> out;
  const auto add = [&](Moment moment, const std::vector<Fault>& faults) {
    for (const Fault fault : faults) out.push_back({moment, fault});
  };
  using enum Fault;
  if (backup_class == "files") {
    add(Moment::kNone, {kEngineGone, kKilled, kPaused, kRemoved});
    add(Moment::kBeforeStep, {kEngineGone, kRemoved});
    // Dockerd holds the container while it reads files out of it: what would kill, pause or remove
    // it waits for the archive's end.
    add(Moment::kInStream, {kEngineGone, kFullDisk, kHalfFrame});
    return out;
  }
  if (podman) {
    add(Moment::kNone, {kEngineGone, kPaused, kToolMissing});
    add(Moment::kBeforeStep, {kKilled, kRemoved});
    add(Moment::kInStream, {kEngineGone, kKilled, kRemoved, kHalfFrame, kStalled});
    add(Moment::kBehindStream, {kEngineGone, kRemoved});
    return out;
  }
  add(Moment::kNone, {kEngineGone, kKilled, kPaused, kRemoved, kToolMissing});
  if (backup_class != "sqlite") add(Moment::kNone, {kWrongPassword});
  add(Moment::kBeforeStep, {kEngineGone, kKilled, kPaused, kRemoved});
  add(Moment::kInStream,
      {kEngineGone, kKilled, kPaused, kRemoved, kFullDisk, kHalfFrame, kStalled});
  add(Moment::kBehindStream, {kEngineGone, kRemoved});
  return out;
}

// The engine reads files out of a container whether it runs or not.
bool may_be_whole(const std::string& backup_class, Fault fault) {
  return backup_class == "files" &&
         (fault == Fault::kKilled || fault == Fault::kPaused || fault == Fault::kRemoved);
}

// Of each of them one is in the message.
std::vector<std::string> words_for(Fault fault) {
  switch (fault) {
    case Fault::kEngineGone:
      return {"nobody listens", "the engine closed the connection", "lost with the engine",
              "of the engine at"};
    case Fault::kKilled:
      return {"is exited", "is not running", "the container ended",
              "can only create exec sessions"};
    case Fault::kPaused:
      return {"paused"};
    case Fault::kRemoved:
      return {"no container matches", "No such container", "no such container",
              "the container ended", "no container with"};
    case Fault::kToolMissing:
      return {"is not in the container", "was not found", "nor by a sqlite3 in the container"};
    case Fault::kWrongPassword:
      return {"correct `auth`"};
    case Fault::kFullDisk:
      return {"No space left on device"};
    case Fault::kHalfFrame:
      return {"broke off"};
    case Fault::kStalled:
      return {"gave nothing for too long"};
  }
  return {};
}

bool names_the_cause(const std::string& message, Fault fault) {
  for (const std::string& word : words_for(fault)) {
    if (message.contains(word)) return true;
  }
  return false;
}

struct Outcome {
  Ran ran;
  Ran shown;
  Ran verified;
  std::vector<std::string> left;
  bool fired = true;
  bool whole = false;  // there is an artifact with all that was to be saved
};

// One subject on one engine, and what was seen of it.
class Matrix {
 public:
  Matrix(const Lab& engine, const std::string& backup_class, bool podman)
      : engine_(engine), subject_(engine, backup_class, podman) {}

  bool make() { return subject_.heal(); }
  Outcome perform(const Case& one);
  void add_row(const Case& one, const Outcome& seen, double seconds);
  const std::string& table() const { return table_; }
  int rows() const { return rows_; }

 private:
  void act(Fault fault, Moment moment);
  void end_removal();
  ProxyFault to_proxy(const Case& one);

  const Lab& engine_;
  FaultSubject subject_;
  std::optional<RunningProgram> removing_;
  const SmallDisk* disk_ = nullptr;
  std::string table_;
  int rows_ = 0;
};

void Matrix::act(Fault fault, Moment moment) {
  const std::string& name = subject_.name();
  if (fault == Fault::kFullDisk) {
    // What had passed before is still being written, and may take the same room.
    bool filled = false;
    for (int i = 0; i < 100 && !filled; ++i) filled = disk_->fill_up_to(65536);
    EXPECT_TRUE(filled);
  }
  // Podman kills it and then complains that it took too long.
  if (fault == Fault::kKilled) engine_.docker({"kill", name});
  if (fault == Fault::kPaused) engine_.done({"pause", name});
  if (fault == Fault::kRemoved && moment != Moment::kInStream) {
    engine_.done({"rm", "-f", name});
  } else if (fault == Fault::kRemoved) {
    // The engine may wait with the removal until somebody has read what the command had said.
    engine_.docker({"kill", name});
    removing_.emplace(Lab::docker_argv({"rm", "-f", name}), engine_.client());
  }
  if (fault == Fault::kToolMissing) {
    engine_.done({"exec", "-u", "0", name, "sh", "-c",
                  "for f in $(which -a " + subject_.tool() + "); do rm -f \"$f\"; done"});
  }
}

void Matrix::end_removal() {
  if (!removing_) return;
  EXPECT_EQ(removing_->wait().exit_code, 0) << removing_->err();
  removing_.reset();
}

ProxyFault Matrix::to_proxy(const Case& one) {
  ProxyFault fault;
  if (one.moment == Moment::kNone) return fault;
  fault.moment = one.moment;
  fault.word = subject_.word();
  fault.after_bytes = std::size_t{2} << 20U;
  fault.act = [this, one] { act(one.fault, one.moment); };
  if (one.fault == Fault::kEngineGone) fault.then = ProxyFault::Then::kDie;
  if (one.fault == Fault::kHalfFrame) fault.then = ProxyFault::Then::kCut;
  if (one.fault == Fault::kStalled) fault.then = ProxyFault::Then::kSilent;
  return fault;
}

Outcome Matrix::perform(const Case& one) {
  // Before the proxy: its threads are to see the file system too.
  const TempDir disk;
  std::optional<SmallDisk> full;
  if (one.fault == Fault::kFullDisk) full.emplace(disk / "full", "size=64m");
  if (full && !full->why_not().empty()) {
    ADD_FAILURE() << full->why_not();
    return {};
  }
  disk_ = full ? &*full : nullptr;
  std::optional<EngineProxy> proxy(engine_.socket());
  const ProxyFault fault = to_proxy(one);
  const bool fires = fault.moment != Moment::kNone;
  proxy->set_fault(fault);
  const bool wrong = one.fault == Fault::kWrongPassword;
  LabRun run(proxy->selector(),
             subject_.module(wrong ? "auth = { password = \"secret:wrong\" }" : ""),
             disk / (full ? "full/backups" : "backups"));
  const bool waits = one.fault == Fault::kPaused || one.fault == Fault::kStalled;
  if (waits) run.set_stall("3s");
  if (wrong) run.write_secret("wrong", "not-the-password");
  run.init();
  if (one.moment == Moment::kNone) act(one.fault, one.moment);
  if (one.moment == Moment::kNone && one.fault == Fault::kEngineGone) proxy->die();
  Outcome out;
  out.ran = run.run({"backup", "subject"});
  out.fired = !fires || proxy->has_fired();
  proxy.reset();
  end_removal();
  out.whole = subject_.is_whole(run.root());
  out.left = run.left_in_root();
  out.shown = run.run({"show", "latest", "--json"});
  out.verified = run.run({"verify"});
  EXPECT_TRUE(one.fault == Fault::kToolMissing ? subject_.renew() : subject_.heal());
  return out;
}

// What a person reads of the failure.
std::string message_of(const Ran& ran) {
  std::string out;
  for (const std::string& line : split(ran.err, '\n')) {
    if (line.starts_with("muniment: ")) out = line.substr(10);
  }
  return out;
}

void Matrix::add_row(const Case& one, const Outcome& seen, double seconds) {
  char line[512];
  std::snprintf(line, sizeof line, "%-8s | %-17s | %-17s | %4d | %4.1f s | %.300s\n",
                subject_.backup_class().c_str(), name_of(one.moment), name_of(one.fault),
                seen.ran.exit_code, seconds, message_of(seen.ran).c_str());
  table_ += line;
  ++rows_;
}

void expect_no_false_backup(const std::string& backup_class, const Case& one, const Outcome& seen) {
  EXPECT_TRUE(seen.fired);
  EXPECT_EQ(seen.verified.exit_code, 0) << seen.verified.out << seen.verified.err;
  if (seen.ran.exit_code == 0 && may_be_whole(backup_class, one.fault)) {
    EXPECT_TRUE(seen.whole);
    return;
  }
  const bool gone = one.moment == Moment::kNone && one.fault == Fault::kEngineGone;
  EXPECT_EQ(seen.ran.exit_code, gone ? 8 : 1) << seen.ran.out << seen.ran.err;
  EXPECT_TRUE(names_the_cause(message_of(seen.ran), one.fault)) << message_of(seen.ran);
  for (const std::string& path : seen.left) {
    EXPECT_EQ(path, "/subject") << seen.ran.out << seen.ran.err;
  }
  EXPECT_TRUE(seen.shown.out.contains("\"outcome\": \"failed\"")) << seen.shown.out;
}

class Faults : public testing::TestWithParam<const char*> {};

TEST_P(Faults, NothingIsCalledABackupThatIsNone) {
  const bool podman = std::string(GetParam()) == "podman";
  const Lab& engine = Lab::up(GetParam());
  MUNIMENT_NEED_LAB(engine);
  std::string table;
  int rows = 0;
  std::vector<const char*> classes{"postgres", "redis", "sqlite", "files"};
  if (podman) classes = {"redis", "files"};
  for (const char* backup_class : classes) {
    Matrix matrix(engine, backup_class, podman);
    ASSERT_TRUE(matrix.make());
    for (const Case& one : cases_of(backup_class, podman)) {
      SCOPED_TRACE(std::string(backup_class) + ", " + name_of(one.moment) + ", " +
                   name_of(one.fault));
      const auto began = std::chrono::steady_clock::now();
      const Outcome seen = matrix.perform(one);
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
      matrix.add_row(one, seen, took.count());
      expect_no_false_backup(backup_class, one, seen);
    }
    table += matrix.table();
    rows += matrix.rows();
  }
  std::printf("%s%d cases on %s\n", table.c_str(), rows, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Engines, Faults, testing::Values("docker", "podman"),
                         [](const auto& each) { return std::string(each.param); });

}  // namespace
}  // namespace muniment
