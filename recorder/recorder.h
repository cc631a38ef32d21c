// The one loop where log, source, sink and clock meet: observe, resolve, plan, gate, step, settle.
//
// A rehearsal and the deed are the same loop. What differs is the sink that was put in
// (cli/app.cc).
#ifndef MUNIMENT_RECORDER_RECORDER_H_
#define MUNIMENT_RECORDER_RECORDER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "muniment/v1/event.pb.h"
#include "muniment/v1/store.pb.h"
#include "recorder/core/command_plan.h"
#include "recorder/core/manifest.h"
#include "recorder/core/plan.h"
#include "recorder/core/redact.h"
#include "recorder/core/resolve.h"
#include "recorder/core/result.h"
#include "recorder/gatekeeper.h"
#include "recorder/log/event_log.h"
#include "recorder/stamper.h"
#include "recorder/world/sink.h"
#include "recorder/world/source.h"

namespace muniment {

// What the loop stands on. All must outlive the recorder.
struct Ports {
  LogWriter& log;
  const LogReader& reader;  // sees what `log` has made durable
  Source& source;
  Sink& sink;
  Clock& clock;
};

struct RunRequest {
  const Manifest* manifest = nullptr;
  std::vector<const Module*> modules;
  bool all = false;
  v1::RunStarted started;          // filled in but for `modules` and `backup_root`
  std::vector<std::string> blobs;  // what `started` and the envelope refer to
  std::vector<std::string> protected_paths;
  bool resolve_only = false;   // purpose "resolve": ends after the resolution
  GateDoor gates;              // what its gates stand on, and whether a closed one stops it
  std::string rehearsed_plan;  // canonical text that the plan must equal; empty: any
  // What `exec` runs, redacted and observed, in the place of a backup of `modules`.
  std::optional<v1::HostCommand> command;
  std::vector<MaskedArgument> masked;  // words of it that only their seals tell apart
  const Redactor* redactor = nullptr;  // of what sinks say; nullptr: they redact by themselves
  std::function<bool()> stop_requested = [] { return false; };
  // Called after each event is durable.
  std::function<void(const v1::Event&, std::uint64_t sequence)> on_recorded;
};

// One run. Not thread-safe; used once.
class Recorder {
 public:
  Recorder(Ports ports, RunRequest request, Envelope envelope);

  // Records the run from start to finish and carries out its steps.
  // A run that failed, was refused or interrupted is a result (state.outcome). An error means that
  // the log did not take an event: the run stays open, and the next run finds it abandoned.
  Result<v1::RunState> run();

 private:
  class StepFacts;
  using Bodies = std::vector<v1::Event>;

  Status begin();
  Status run_stages();
  Status record_failure(const Error& error);
  Status recover();
  Status observe_engine(ResolveInput& input);
  Result<Resolution> observe_and_resolve();
  Status plan_and_check(const Resolution& resolution);
  Status check_drift();
  Status check_gates(const Resolution& resolution);
  Status pass_gates(const v1::Step& step);
  Status pass_gate(const std::string& gate, const std::string& module);
  Status open_gate(const std::string& module, Gatekeeper::Answer& answer);
  Status hold_gates(const std::string& module);
  Status close_gate(const std::string& module, v1::GateEvaluated verdict);
  Result<Gatekeeper::Answer> ask_gate(const std::string& gate, const std::string& module);
  Status observe_root();
  Status carry_out();
  Status perform(std::uint32_t index, const v1::Step& step, bool planned);
  Status close();

  Status record(Bodies bodies, std::vector<std::string> blobs = {},
                std::optional<std::uint64_t> expected_head = std::nullopt);
  Status record_one(v1::Event body);
  bool is_stopped();

  Ports ports_;
  RunRequest request_;
  Stamper stamper_;
  Gatekeeper gatekeeper_;
  std::set<std::string> passed_;  // modules whose gates were asked before their first sink
  bool gate_closed_ = false;      // midway: no planned step starts any more
  v1::RunState state_;
  Plan plan_;
  v1::PathObserved root_seen_;
  std::vector<v1::Step> left_behind_;
  std::string problem_;
  bool stopped_ = false;
  std::string caused_by_;
  std::string about_run_;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_RECORDER_H_
