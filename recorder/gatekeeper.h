// The gates of one run: puts policies on record, asks before anything is touched and again directly
// before each first sink, and sees a revocation that arrives in between.
#ifndef MUNIMENT_RECORDER_GATEKEEPER_H_
#define MUNIMENT_RECORDER_GATEKEEPER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "recorder/core/backup_class.h"
#include "recorder/gate_facts.h"
#include "recorder/log/event_log.h"
#include "recorder/stamper.h"

namespace muniment {

// What the composition brings to the gates of a run.
struct GateDoor {
  GateRules rules;
  // Whether this composition may act on the world: a closed gate stops it, an open one consumes its
  // approvals. Else verdicts are recorded and nothing is consumed.
  bool acts = false;
  // Takes in what other processes left for the log: a revocation counts from there on.
  std::function<Status()> take_inbox = [] { return Status(); };
  // Makes it known outside the store that approvals were consumed. What fails stops the run.
  std::function<Status()> keep = [] { return Status(); };
};

// Not thread-safe; everything it is given must outlive it.
class Gatekeeper {
 public:
  // `guarded`: backup, exec or restore.
  Gatekeeper(LogWriter& log, const LogReader& reader, Stamper& stamper, const GateDoor& door,
             std::string guarded);

  // Records policies that the manifest states and the log does not hold yet, what they guard, and
  // verdicts on approvals that were submitted. Facts about the log, not of the run.
  Status open_books(const std::vector<Target>& targets, std::int64_t now_ns);

  // The gates that guard a module for this command: the manifest's, and those that the log holds
  // for what the module stands for. In order of name. REQUIRES: open_books() saw it.
  const std::vector<std::string>& gates_of(const std::string& module) const;

  // What stays the same from one question to the next.
  struct Ask {
    std::string candidate_run;
    std::string plan_digest;
    std::optional<bool> clean_release;
    v1::Actor actor;  // who executes
    std::int64_t now_ns = 0;
  };
  struct Answer {
    GateJudgement judgement;
    std::uint64_t head = 0;  // of the log that was asked
  };
  Result<Answer> ask(const std::string& gate, const std::string& module, const Ask& ask) const;

  // Remembers what was consumed for a module, to see whether it is taken back.
  void consumed(const std::string& module, const std::vector<std::uint64_t>& accepted);

  // Takes in the inbox and looks for a revocation of what a module's gates were opened by; its
  // sequence. Absent: none.
  Result<std::optional<std::uint64_t>> find_revocation(const std::string& module);

 private:
  Status record_policy(const StatedPolicy& stated, const v1::GuardedTarget& target);

  LogWriter& log_;
  const LogReader& reader_;
  Stamper& stamper_;
  const GateDoor& door_;
  std::string guarded_;
  std::map<std::string, std::vector<std::string>> gates_;    // by module
  std::map<std::string, std::set<std::uint64_t>> consumed_;  // by module
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_GATEKEEPER_H_
