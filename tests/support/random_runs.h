// Logs with runs of all kinds, drawn at random, and what is known of each run without any index.
#ifndef MUNIMENT_TESTS_SUPPORT_RANDOM_RUNS_H_
#define MUNIMENT_TESTS_SUPPORT_RANDOM_RUNS_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "recorder/log/queries.h"
#include "tests/support/generator.h"
#include "tests/support/run_writer.h"

namespace muniment {

inline const std::vector<std::string> kSomeModules = {"notes", "note", "uploads", "forgejo-db"};
inline const std::vector<std::string> kSomeActors = {"operator:anna", "agent:codex", "ci"};

// Writes one run with 1 to 3 modules. It may be left without an end, and its time may lie before
// that of the run before it.
inline void write_random_run(LogScript& script, std::uint64_t number, Generator& generator) {
  script.now_ns += static_cast<std::int64_t>(generator.below(7'200)) * 1'000'000'000;
  if (generator.one_in(4)) script.now_ns -= 5'000'000'000'000;
  const v1::Mode mode =
      std::array{v1::MODE_DRY_RUN, v1::MODE_EXECUTION, v1::MODE_OBSERVATION}[generator.below(3)];
  RunWriter writer(script, sample_uuid(number * 37, 2), mode,
                   kSomeActors[generator.below(kSomeActors.size())]);
  v1::Event start;
  start.mutable_run_started()->set_purpose("backup");
  writer.add(std::move(start));
  const std::size_t modules = generator.between(1, 3);
  for (std::size_t i = 0; i < modules; ++i) {
    v1::Event event;
    event.set_module(kSomeModules[generator.below(kSomeModules.size())]);
    event.mutable_module_resolved()->set_backup_class(v1::BACKUP_CLASS_FILES);
    if (generator.one_in(5)) event.mutable_module_unresolved()->set_detail("missing");
    writer.add(event);
  }
  if (generator.one_in(3)) {
    v1::Event event;
    event.set_module("notes");
    event.mutable_gate_evaluated()->set_gate(generator.one_in(2) ? "F3" : "F2");
    writer.add(std::move(event));
  }
  if (number > 0 && generator.one_in(3)) {
    v1::Event event;
    event.set_about_run(sample_uuid(generator.below(number) * 37, 2));
    event.mutable_note_added();
    writer.add(std::move(event));
  }
  if (generator.one_in(6)) return;
  v1::Event end;
  end.mutable_run_finished()->set_outcome(static_cast<v1::RunOutcome>(
      generator.between(v1::RUN_OUTCOME_OK, v1::RUN_OUTCOME_ABANDONED)));
  writer.add(std::move(end));
}

inline void write_random_runs(LogWriter& log, std::uint64_t count, Generator& generator) {
  LogScript script{log, 1'795'600'000'000'000'000};
  for (std::uint64_t i = 0; i < count; ++i) write_random_run(script, i, generator);
}

// All events by one scan of the log; the oracle of every question.
inline std::vector<StoredEvent> all_events(const LogReader& log) {
  std::vector<StoredEvent> out;
  EXPECT_TRUE(read_events(log, 0, [&](const StoredEvent& stored) {
    out.push_back(stored);
    return true;
  }));
  return out;
}

// Each run folded from those events, newest first.
inline std::vector<v1::RunState> all_runs(const std::vector<StoredEvent>& events) {
  std::vector<v1::RunState> out;
  for (const StoredEvent& start : events) {
    if (!start.event.has_run_started()) continue;
    v1::RunState state;
    const std::string& id = start.event.run_id();
    for (const StoredEvent& stored : events) {
      if (stored.event.run_id() != id && stored.event.about_run() != id) continue;
      state = evolve(std::move(state), stored.event, stored.sequence);
    }
    out.push_back(std::move(state));
  }
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_RANDOM_RUNS_H_
