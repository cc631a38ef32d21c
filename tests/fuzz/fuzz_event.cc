// A stored event may hold any bytes, written by another version or by nobody's program: what reads
// it must neither fail nor let it speak to a terminal.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "muniment/v1/event.pb.h"
#include "muniment/v1/store.pb.h"
#include "recorder/core/run_state.h"
#include "recorder/core/text.h"
#include "recorder/log/key_codec.h"
#include "replay/render_text.h"

namespace {

constexpr std::uint64_t kSequence = 412;

void require(bool holds) {
  if (!holds) std::abort();
}

// As many rows, at the same place, whatever is moved to where.
void check_rows(const muniment::v1::Event& event) {
  std::vector<muniment::IndexRow> rows = muniment::index_rows(event, 0);
  require(!rows.empty() && rows.size() <= 8);
  muniment::set_sequence(rows, kSequence);
  require(rows == muniment::index_rows(event, kSequence));
}

void check_line(const muniment::v1::Event& event) {
  const std::string line = muniment::event_line(kSequence, event);
  require(line.starts_with("#412 "));
  require(line.find('\n') == std::string::npos && line.find('\x1b') == std::string::npos);
  require(muniment::is_valid_utf8(line));
}

// A run that this event is part of, before and behind its start.
void check_fold(muniment::v1::Event event) {
  muniment::v1::RunState early = muniment::evolve({}, event, kSequence);
  require(muniment::has_started(early) == (event.has_run_started() && !event.run_id().empty()));

  muniment::v1::Event start;
  start.set_run_id("run");
  start.mutable_run_started()->set_purpose("backup");
  event.set_run_id("run");
  muniment::v1::RunState state = muniment::evolve({}, start, kSequence - 1);
  state = muniment::evolve(std::move(state), event, kSequence);
  require(muniment::has_started(state));
  const muniment::v1::RunState again =
      muniment::evolve(muniment::evolve({}, start, kSequence - 1), event, kSequence);
  require(state.SerializeAsString() == again.SerializeAsString());
  muniment::count(state);
  muniment::is_snapshot_due(event, "run", kSequence);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  muniment::v1::Event event;
  if (!event.ParseFromArray(data, static_cast<int>(size))) return 0;
  check_rows(event);
  check_line(event);
  check_fold(std::move(event));
  return 0;
}
