#include "recorder/log/inbox.h"

#include <array>
#include <optional>
#include <thread>
#include <utility>

#include "muniment/v1/store.pb.h"
#include "recorder/core/text.h"
#include "recorder/log/inbox_folder.h"
#include "recorder/log/prepared_entry.h"
#include "recorder/log/queries.h"
#include "recorder/log/store.h"

namespace muniment {
namespace {

constexpr std::chrono::milliseconds kPoll{20};
constexpr std::size_t kShownNameBytes = 80;

// What people add; everything else is recorded by the run that saw it.
constexpr std::array kAllowedBodies = {
    v1::Event::kNoteAdded,         v1::Event::kCheckRecorded,     v1::Event::kCandidateRecommended,
    v1::Event::kApprovalRequested, v1::Event::kApprovalSubmitted, v1::Event::kApprovalRevoked,
};

bool is_allowed(const v1::Event& event) {
  for (const v1::Event::BodyCase body : kAllowedBodies) {
    if (event.body_case() == body) return true;
  }
  return false;
}

// The event behind an entry, if it is one that the inbox takes.
Result<v1::Event> judge(const Entry& entry) {
  Result<PreparedEntry> prepared = prepare(entry);
  if (!prepared) return pass(prepared);
  if (is_allowed(prepared->event)) return std::move(prepared->event);
  return fail(ErrorCode::kInvalid,
              "an event of body " + std::to_string(prepared->event.body_case()) +
                  " does not go through the inbox; only notes, checks, recommendations and "
                  "approvals do");
}

Result<Entry> parse_item(const std::string& name, const std::string& bytes) {
  v1::InboxItem item;
  if (!item.ParseFromString(bytes)) {
    return fail(ErrorCode::kInvalid, "its bytes are no inbox item");
  }
  Entry entry{item.event(), {item.blobs().begin(), item.blobs().end()}};
  const Result<v1::Event> event = judge(entry);
  if (!event) return std::unexpected(event.error());
  if (event->event_id() == name) return entry;
  return fail(ErrorCode::kInvalid, "it holds the event " + event->event_id());
}

bool blames_the_item(const Error& error) {
  return error.code == ErrorCode::kInvalid || error.code == ErrorCode::kRefused;
}

}  // namespace

Status leave_in_inbox(const std::string& store_folder, const Entry& entry) {
  const Result<v1::Event> event = judge(entry);
  if (!event) return std::unexpected(event.error());
  v1::InboxItem item;
  item.set_event(entry.bytes);
  for (const std::string& blob : entry.blobs) item.add_blobs(blob);
  Result<InboxFolder> folder = InboxFolder::make(store_folder);
  if (!folder) return pass(folder);
  return folder->leave(event->event_id(), item.SerializeAsString());
}

Result<Drained> drain_inbox(const std::string& store_folder, LogWriter& log) {
  Drained drained;
  Result<std::optional<InboxFolder>> folder = InboxFolder::find(store_folder);
  if (!folder) return pass(folder);
  if (!folder->has_value()) return drained;
  const Result<std::vector<std::string>> names = (*folder)->list();
  if (!names) return std::unexpected(names.error());
  const auto refuse = [&](const std::string& name, const Error& error) {
    drained.refused.push_back(inert_short(name, kShownNameBytes) + ": " + error.message);
  };
  for (const std::string& name : *names) {
    const Result<std::optional<std::string>> bytes = (*folder)->read(name);
    if (!bytes) {
      refuse(name, bytes.error());
      continue;
    }
    if (!bytes->has_value()) continue;
    Result<Entry> entry = parse_item(name, **bytes);
    if (!entry) {
      refuse(name, entry.error());
      continue;
    }
    std::vector<Entry> entries;
    entries.push_back(std::move(*entry));
    Result<Appended> appended = log.append(std::move(entries), std::nullopt);
    if (!appended && !blames_the_item(appended.error())) return pass(appended);
    if (!appended) {
      refuse(name, appended.error());
      continue;
    }
    drained.sequences.push_back(appended->sequences.front());
    if (Status removed = (*folder)->remove(name); !removed) return pass(removed);
  }
  return drained;
}

Result<std::uint64_t> wait_for_event(const std::string& store_folder, std::string_view event_id,
                                     std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  Result<std::unique_ptr<LogReader>> log = open_reader(store_folder);
  if (!log) return pass(log);
  for (;;) {
    Result<std::optional<std::uint64_t>> sequence = find_event(**log, event_id);
    if (!sequence) return pass(sequence);
    if (sequence->has_value()) return **sequence;
    if (std::chrono::steady_clock::now() >= deadline) break;
    std::this_thread::sleep_for(kPoll);
    if (Status refreshed = (*log)->refresh(); !refreshed) return pass(refreshed);
  }
  return fail(ErrorCode::kBusy, "the event " + inert_short(event_id, kShownNameBytes) +
                                    " was not taken from " + store_folder + "/inbox within " +
                                    std::to_string(limit.count()) +
                                    " ms; it stays there for the next writer");
}

}  // namespace muniment
