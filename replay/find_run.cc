#include "replay/find_run.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <optional>
#include <vector>

#include "recorder/core/text.h"
#include "recorder/log/queries.h"
#include "replay/json.h"

namespace muniment {
namespace {

constexpr std::size_t kLeastPrefix = 6;

using Wanted = std::function<bool(const v1::RunState&)>;

std::string mode_word(v1::Mode mode) {
  return enum_word(*v1::Mode_descriptor()->FindValueByNumber(mode));
}

Result<v1::RunState> newest(const LogReader& log, std::string_view word, const Wanted& wanted) {
  std::optional<Result<v1::RunState>> found;
  const Status listed = list_runs(log, std::numeric_limits<std::uint64_t>::max(),
                                  [&](std::string_view run_id, std::uint64_t /*sequence*/) {
                                    Result<v1::RunState> state = run_state(log, run_id);
                                    if (state && !wanted(*state)) return true;
                                    found = std::move(state);
                                    return false;
                                  });
  if (!listed) return std::unexpected(listed.error());
  if (found) return std::move(*found);
  return fail(ErrorCode::kNotFound,
              "no run is `" + inert_short(word, 80) + "`; `muniment runs` lists what there is");
}

bool concerns(const v1::RunState& state, std::string_view module) {
  return std::any_of(state.modules().begin(), state.modules().end(),
                     [&](const v1::ModuleState& row) { return row.module() == module; });
}

// Ids of the index that start with `prefix` and name a run that has started; two are enough to know
// that the prefix is not unique.
Result<std::vector<std::string>> ids_with_prefix(const LogReader& log, std::string_view prefix) {
  std::vector<std::string> ids;
  const std::string tag(1, static_cast<char>(IndexTag::kByRun));
  std::string from = tag + std::string(prefix);
  while (ids.size() < 2) {
    std::string id;
    const Status scanned =
        log.scan(Table::kIndex, from, Direction::kForward, [&](std::string_view key, auto) {
          if (key.starts_with(tag + std::string(prefix))) id = key.substr(1, 36);
          return false;
        });
    if (!scanned) return std::unexpected(scanned.error());
    if (id.empty()) break;
    const Result<v1::RunState> state = run_state(log, id);
    if (state) ids.push_back(id);
    if (!state && state.error().code != ErrorCode::kNotFound) {
      return std::unexpected(state.error());
    }
    from = tag + id + std::string(9, '\xff');
  }
  return ids;
}

Result<v1::RunState> by_prefix(const LogReader& log, std::string_view word) {
  if (word.size() < kLeastPrefix) {
    return fail(ErrorCode::kInvalid,
                "`" + inert_short(word, 80) + "` is too short for a run: give " +
                    std::to_string(kLeastPrefix) + " characters of its id or more, or `latest`");
  }
  Result<std::vector<std::string>> ids = ids_with_prefix(log, word);
  if (!ids) return pass(ids);
  if (ids->size() > 1) {
    return fail(ErrorCode::kInvalid, "`" + inert_short(word, 80) +
                                         "` is the start of several runs (" + ids->at(0) + ", " +
                                         ids->at(1) + "); give more of the id");
  }
  if (ids->empty()) {
    return fail(ErrorCode::kNotFound,
                "no run is `" + inert_short(word, 80) + "`; `muniment runs` lists what there is");
  }
  return run_state(log, ids->front());
}

}  // namespace

Result<v1::RunState> find_run(const LogReader& log, std::string_view word) {
  if (word == "latest") {
    return newest(log, word, [](const v1::RunState&) { return true; });
  }
  if (word.starts_with("latest:")) {
    const std::string_view what = word.substr(7);
    return newest(log, word, [&](const v1::RunState& state) {
      return mode_word(state.mode()) == what || concerns(state, what);
    });
  }
  return by_prefix(log, word);
}

Result<v1::RunState> find_rehearsal(const LogReader& log, std::string_view word,
                                    std::string_view purpose) {
  const Wanted wanted = [&](const v1::RunState& state) {
    const bool module =
        !word.starts_with("latest:") || word == "latest:dry-run" || concerns(state, word.substr(7));
    return module && state.mode() == v1::MODE_DRY_RUN && state.outcome() == v1::RUN_OUTCOME_OK;
  };
  if (word.starts_with("latest")) {
    return newest(log, word, [&](const v1::RunState& state) {
      return wanted(state) && (purpose.empty() || state.purpose() == purpose);
    });
  }
  Result<v1::RunState> run = by_prefix(log, word);
  if (!run || wanted(*run)) return run;
  return fail(ErrorCode::kNotFound,
              "run " + run->run_id() + " is no successful dry run (mode " + mode_word(run->mode()) +
                  ", outcome " +
                  enum_word(*v1::RunOutcome_descriptor()->FindValueByNumber(run->outcome())) +
                  "); rehearse with `muniment backup --dry-run` or `muniment exec --dry-run`");
}

}  // namespace muniment
