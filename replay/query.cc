#include "replay/query.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <limits>

#include "recorder/core/digest.h"
#include "recorder/core/manifest.h"
#include "recorder/core/text.h"
#include "recorder/core/timestamp.h"
#include "replay/json.h"

namespace muniment {
namespace {

using google::protobuf::util::TimeUtil;

constexpr std::uint64_t kEnd = std::numeric_limits<std::uint64_t>::max();

template <class Enum>
std::string word(Enum value) {
  const auto* found = google::protobuf::GetEnumDescriptor<Enum>()->FindValueByNumber(value);
  return found == nullptr ? "unknown" : enum_word(*found);
}

bool in_time(const google::protobuf::Timestamp& time, const std::optional<std::int64_t>& since,
             const std::optional<std::int64_t>& until) {
  const std::int64_t ns = nanoseconds_of(time);
  return (!since || ns >= *since) && (!until || ns < *until);
}

bool touches_module(const v1::RunState& run, const std::string& module) {
  return std::any_of(run.modules().begin(), run.modules().end(),
                     [&](const v1::ModuleState& row) { return row.module() == module; });
}

bool touches_gate(const v1::RunState& run, const std::string& gate) {
  return std::any_of(run.gates().begin(), run.gates().end(),
                     [&](const v1::GateState& row) { return row.gate() == gate; });
}

Result<bool> matches(const LogReader& log, const RunFilter& filter, const v1::RunState& run) {
  if (!filter.mode.empty() && word(run.mode()) != filter.mode) return false;
  if (!filter.outcome.empty() && word(run.outcome()) != filter.outcome) return false;
  if (!filter.module.empty() && !touches_module(run, filter.module)) return false;
  if (!filter.gate.empty() && !touches_gate(run, filter.gate)) return false;
  if (!in_time(run.started_at(), filter.since_ns, filter.until_ns)) return false;
  if (filter.actor.empty()) return true;
  Result<std::optional<std::string>> actor = read_erasable(log, run.actor());
  if (!actor) return pass(actor);
  return actor->value_or("") == filter.actor;
}

Result<v1::Covers> covers(const LogReader& log) {
  Result<v1::StoreState> state = log.state();
  if (!state) return pass(state);
  v1::Covers out;
  if (state->size() == 0) return out;
  out.set_first(0);
  out.set_last(state->size() - 1);
  return out;
}

bool matches(const EventFilter& filter, const StoredEvent& stored) {
  const v1::Event& event = stored.event;
  if (!filter.run_id.empty() && event.run_id() != filter.run_id &&
      event.about_run() != filter.run_id) {
    return false;
  }
  if (!filter.module.empty() && event.module() != filter.module) return false;
  if (!filter.type.empty() && body_name(event) != filter.type) return false;
  return in_time(event.recorded_at(), filter.since_ns, filter.until_ns);
}

const google::protobuf::OneofDescriptor& body() {
  return *v1::Event::descriptor()->FindOneofByName("body");
}

// The narrowest index for what is asked.
Status visit(const LogReader& log, const EventFilter& filter, const EventVisitor& visitor) {
  if (!filter.run_id.empty()) {
    return read_indexed(log, IndexTag::kByRun, filter.run_id, filter.from_sequence,
                        Direction::kForward, visitor);
  }
  if (!filter.module.empty()) {
    return read_indexed(log, IndexTag::kByModule, filter.module, filter.from_sequence,
                        Direction::kForward, visitor);
  }
  if (!filter.type.empty()) {
    const auto* field = v1::Event::descriptor()->FindFieldByName(filter.type);
    const auto number = static_cast<std::uint32_t>(field == nullptr ? 0 : field->number());
    return read_indexed(log, IndexTag::kByType, type_value(number), filter.from_sequence,
                        Direction::kForward, visitor);
  }
  return read_events(log, filter.from_sequence, visitor);
}

}  // namespace

Result<v1::RunList> list(const LogReader& log, const RunFilter& filter) {
  v1::RunList out;
  Result<v1::Covers> covered = covers(log);
  if (!covered) return pass(covered);
  *out.mutable_covers() = *covered;
  std::uint64_t before = kEnd;
  if (!filter.before.empty()) {
    Result<v1::RunState> run = run_state(log, filter.before);
    if (!run) return pass(run);
    before = run->first_sequence();
  }
  std::optional<Error> failure;
  const Status listed = list_runs(log, before, [&](std::string_view run_id, std::uint64_t) {
    Result<v1::RunState> run = run_state(log, run_id);
    Result<bool> wanted = run ? matches(log, filter, *run) : Result<bool>(false);
    if (!run || !wanted) {
      failure = run ? wanted.error() : run.error();
      return false;
    }
    if (!*wanted) return true;
    if (static_cast<std::uint32_t>(out.runs_size()) == filter.limit) {
      if (filter.limit > 0) out.set_next(out.runs(out.runs_size() - 1).run_id());
      return false;
    }
    *out.add_runs() = std::move(*run);
    return true;
  });
  if (failure) return std::unexpected(*failure);
  if (!listed) return std::unexpected(listed.error());
  return out;
}

Result<v1::EventList> list(const LogReader& log, const EventFilter& filter) {
  v1::EventList out;
  Result<v1::Covers> covered = covers(log);
  if (!covered) return pass(covered);
  *out.mutable_covers() = *covered;
  Result<std::optional<StoredCheckpoint>> newest = newest_checkpoint(log);
  if (!newest) return pass(newest);
  const std::uint64_t signed_size = newest->has_value() ? (*newest)->size : 0;
  const Status visited = visit(log, filter, [&](const StoredEvent& stored) {
    if (!matches(filter, stored)) return true;
    if (static_cast<std::uint32_t>(out.events_size()) == filter.limit) {
      out.set_next(stored.sequence);
      return false;
    }
    v1::EventView& view = *out.add_events();
    view = view_of(stored);
    view.set_log_state(stored.sequence < signed_size ? "checkpointed" : "integrated");
    return true;
  });
  if (!visited) return std::unexpected(visited.error());
  return out;
}

v1::EventView view_of(const StoredEvent& stored) {
  v1::EventView view;
  view.set_sequence(stored.sequence);
  view.set_leaf_hash(std::string(as_bytes(leaf_hash(stored.bytes))));
  view.set_size_bytes(static_cast<std::uint32_t>(stored.bytes.size()));
  view.set_type(body_name(stored.event));
  if (stored.event.body_case() == v1::Event::BODY_NOT_SET) view.set_unknown_bytes(stored.bytes);
  *view.mutable_event() = stored.event;
  return view;
}

std::string body_name(const v1::Event& event) {
  const auto* field = event.GetReflection()->GetOneofFieldDescriptor(event, &body());
  return field == nullptr ? "unknown" : field->name();
}

std::vector<std::string> body_names() {
  std::vector<std::string> names;
  for (int i = 0; i < body().field_count(); ++i) names.push_back(body().field(i)->name());
  return names;
}

Result<std::int64_t> parse_time(const std::string& text, std::int64_t now_ns) {
  if (const auto back = parse_duration(text)) {
    return now_ns - std::chrono::nanoseconds(*back).count();
  }
  google::protobuf::Timestamp time;
  const std::string full = text.size() == 10 ? text + "T00:00:00Z" : text;
  if (TimeUtil::FromString(full, &time)) return nanoseconds_of(time);
  return fail(ErrorCode::kInvalid, "`" + inert_short(text, 60) +
                                       "` is no time; expected 2026-11-22T09:42:00Z, 2026-11-22, "
                                       "or how long ago: 90s 10m 24h 7d");
}

}  // namespace muniment
