// Run summaries (table kRun): each must be the fold of its run's events up to where it speaks.
#ifndef MUNIMENT_REPLAY_AUDIT_RUNS_H_
#define MUNIMENT_REPLAY_AUDIT_RUNS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "muniment/v1/event.pb.h"
#include "muniment/v1/report.pb.h"
#include "muniment/v1/store.pb.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"

namespace muniment {

// Holds a state for each run whose summary speaks of events that did not come yet. Not thread-safe.
//
// A piece of the log can be folded by itself: what is about runs that began before it is put off,
// until the folds up to there take the piece over.
class RunFolds {
 public:
  // Findings go to `report`. Both must outlive this object.
  RunFolds(const LogReader& log, v1::VerifyReport& report) : log_(log), report_(report) {}

  // All events in order, from the first one that matters: runs that started before are passed over.
  void fold(const v1::Event& event, std::uint64_t sequence);

  // The same for the events of a piece; `bytes` are the event's. What is about runs that did not
  // start in this piece is kept for take_over().
  void fold_in_piece(const v1::Event& event, std::uint64_t sequence, std::string_view bytes);

  // Goes on with a piece that begins where this ends, and makes it empty.
  void take_over(RunFolds& piece);

  // After the last event: what summaries say of events that did not come. `events` are there;
  // `claimed` is the most that anything speaks of.
  void finish(std::uint64_t events, std::uint64_t claimed);

  std::uint64_t runs() const { return runs_; }
  std::uint64_t finished_executions() const { return finished_executions_; }

 private:
  struct OpenRun {
    v1::RunState folded;
    std::string stored;
    std::uint64_t stored_to = 0;  // the last sequence that the stored summary speaks for
  };
  struct PutOff {
    std::string run_id;
    std::uint64_t sequence;
    std::string bytes;  // of the event
  };

  void begin(const v1::Event& event, std::uint64_t sequence);
  void open(const std::string& run_id, std::uint64_t sequence);
  void fold_into(const std::string& run_id, const v1::Event& event, std::uint64_t sequence);
  void fold_or_put_off(const std::string& run_id, const v1::Event& event, std::uint64_t sequence,
                       std::string_view bytes);

  const LogReader& log_;
  v1::VerifyReport& report_;
  std::unordered_map<std::string, OpenRun> open_;
  std::unordered_set<std::string> started_;  // in this piece
  std::vector<PutOff> put_off_;
  std::uint64_t runs_ = 0;
  std::uint64_t finished_executions_ = 0;
};

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_AUDIT_RUNS_H_
