// Lists of runs and events, newest first for runs, in order for events.
#ifndef MUNIMENT_REPLAY_QUERY_H_
#define MUNIMENT_REPLAY_QUERY_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "muniment/v1/report.pb.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"
#include "recorder/log/queries.h"

namespace muniment {

// Empty fields ask for nothing. Words are those of the command line's contract.
struct RunFilter {
  std::string module;
  std::string mode;
  std::string outcome;
  std::string gate;
  std::string actor;                     // "operator:anna"
  std::optional<std::int64_t> since_ns;  // started at or after
  std::optional<std::int64_t> until_ns;  // started before
  std::uint32_t limit = 20;
  std::string before;  // a run id: only runs that started before it
};

Result<v1::RunList> list(const LogReader& log, const RunFilter& filter);

struct EventFilter {
  std::string run_id;
  std::string module;
  std::string type;  // a body's field name
  std::optional<std::int64_t> since_ns;
  std::optional<std::int64_t> until_ns;
  std::uint64_t from_sequence = 0;
  std::uint32_t limit = 1000;
};

Result<v1::EventList> list(const LogReader& log, const EventFilter& filter);

v1::EventView view_of(const StoredEvent& stored);

// "run_started"; "unknown" for a body that this program has no name for.
std::string body_name(const v1::Event& event);
// All names, for help and for checking a filter.
std::vector<std::string> body_names();

// RFC 3339 ("2026-11-22T09:42:00Z", offset allowed, date alone means its first moment in UTC), or a
// duration that lies back from `now_ns` ("24h"). kInvalid names what was expected.
Result<std::int64_t> parse_time(const std::string& text, std::int64_t now_ns);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_QUERY_H_
