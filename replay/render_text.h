// Views as text for a person at a terminal. Pure: value in, text out; foreign text is made inert.
#ifndef MUNIMENT_REPLAY_RENDER_TEXT_H_
#define MUNIMENT_REPLAY_RENDER_TEXT_H_

#include <string>

#include "muniment/v1/report.pb.h"
#include "replay/json.h"

namespace muniment {

// One line for each run, newest first.
std::string render_runs(const v1::RunList& list, const Resolver& resolve);

// One line for each event, in order.
std::string render_events(const v1::EventList& list);

// One event in full.
std::string render_event(const v1::EventView& view, const Resolver& resolve);

// One run: verdict, who, modules, steps, artifacts. What `show` prints.
std::string render_run(const v1::RunState& run, const Resolver& resolve);

// The steps of a run's plan as a table, with what is expected of each.
std::string render_plan(const v1::RunState& run);

// Path, bytes, mode, verdict and SHA-256 of each artifact.
std::string render_artifacts(const v1::RunState& run);

// How each module was resolved.
std::string render_resolution(const v1::RunState& run);

// The evidence report, in the order of its design: verdict first, integrity last.
std::string render_evidence(const v1::Evidence& evidence, const Resolver& resolve);

// "#12 step_started notes: capture, step 1", without time: what an event says in a line.
std::string event_line(std::uint64_t sequence, const v1::Event& event);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_RENDER_TEXT_H_
