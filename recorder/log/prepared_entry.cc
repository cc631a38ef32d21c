#include "recorder/log/prepared_entry.h"

#include <algorithm>
#include <set>

namespace muniment {
namespace {

bool is_uuid_or_empty(std::string_view text) {
  return text.empty() || is_uuid_text(text);
}

std::string position(std::size_t index, std::size_t count) {
  return "entry " + std::to_string(index + 1) + " of " + std::to_string(count) + ": ";
}

Status check_identity(const v1::Event& event) {
  if (!is_uuid_text(event.event_id())) {
    return fail(ErrorCode::kInvalid,
                "event_id is no lower-case UUID text; stamp the event before it is appended");
  }
  if (!is_uuid_or_empty(event.run_id()) || !is_uuid_or_empty(event.about_run())) {
    return fail(ErrorCode::kInvalid, "event " + event.event_id() +
                                         ": run_id and about_run must be empty or lower-case UUID "
                                         "text; correct the event");
  }
  return {};
}

void add_blob(PreparedEntry& prepared, std::string bytes) {
  std::string key(as_bytes(sha256(bytes)));
  const auto same = [&key](const auto& blob) { return blob.first == key; };
  if (std::ranges::any_of(prepared.blobs, same)) return;
  prepared.blobs.emplace_back(std::move(key), std::move(bytes));
}

}  // namespace

bool is_uuid_text(std::string_view text) {
  constexpr std::string_view kShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  const auto fits = [](char have, char shape) {
    if (shape == '-') return have == '-';
    return (have >= '0' && have <= '9') || (have >= 'a' && have <= 'f');
  };
  return std::ranges::equal(text, kShape, fits);
}

Result<PreparedEntry> prepare_stored(std::string_view bytes) {
  PreparedEntry prepared;
  prepared.bytes = std::string(bytes);
  if (!prepared.event.ParseFromString(prepared.bytes)) {
    return fail(ErrorCode::kInvalid,
                "bytes that do not parse back as an event; foreign text must be valid UTF-8 or "
                "lie in a field of type bytes");
  }
  prepared.leaf = leaf_hash(prepared.bytes);
  prepared.index = index_rows(prepared.event, 0);
  return prepared;
}

Result<PreparedEntry> prepare(Entry entry) {
  if (entry.bytes.size() > kMaxEventBytes) {
    return fail(ErrorCode::kInvalid, "an event of " + std::to_string(entry.bytes.size()) +
                                         " bytes, at most " + std::to_string(kMaxEventBytes) +
                                         " are possible; put the large part into a blob");
  }
  Result<PreparedEntry> prepared = prepare_stored(entry.bytes);
  if (!prepared) return prepared;
  if (Status identity = check_identity(prepared->event); !identity) return pass(identity);
  for (std::string& blob : entry.blobs) add_blob(*prepared, std::move(blob));
  return prepared;
}

Result<PendingAppend> prepare_append(std::vector<Entry> entries,
                                     std::optional<std::uint64_t> expected_head) {
  PendingAppend append;
  append.expected_head = expected_head;
  append.entries.reserve(entries.size());
  std::set<std::string_view> ids;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    Result<PreparedEntry> prepared = prepare(std::move(entries[i]));
    if (!prepared) {
      return fail(prepared.error().code, position(i, entries.size()) + prepared.error().message);
    }
    append.entries.push_back(*std::move(prepared));
    if (!ids.insert(append.entries.back().event.event_id()).second) {
      return fail(ErrorCode::kInvalid, position(i, entries.size()) + "event " +
                                           append.entries.back().event.event_id() +
                                           " is there twice; append each event once");
    }
  }
  return append;
}

Result<PendingAppend> prepare_signed(std::string key, std::string bytes) {
  if (key.size() != sizeof(std::uint64_t) && !is_uuid_text(key)) {
    return fail(ErrorCode::kInvalid, "a key of " + std::to_string(key.size()) +
                                         " bytes for what was signed; it must be a size of the log "
                                         "or a run id");
  }
  PendingAppend append;
  append.signed_row = SignedRow{std::move(key), std::move(bytes)};
  return append;
}

Result<PendingAppend> prepare_erasure(Entry event, std::string commitment) {
  std::vector<Entry> entries;
  entries.push_back(std::move(event));
  Result<PendingAppend> append = prepare_append(std::move(entries), std::nullopt);
  if (!append) return append;
  const v1::Event& said = append->entries.front().event;
  if (commitment.size() != Digest().size() || said.erased().commitment() != commitment) {
    return fail(ErrorCode::kInvalid, "event " + said.event_id() + " names " +
                                         to_hex(said.erased().commitment()) +
                                         " as erased, to be deleted is " + to_hex(commitment) +
                                         "; an erasure is recorded as what it is");
  }
  append->erased_blob = std::move(commitment);
  return append;
}

}  // namespace muniment
