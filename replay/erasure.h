// Texts that can be erased, and those that were.
#ifndef MUNIMENT_REPLAY_ERASURE_H_
#define MUNIMENT_REPLAY_ERASURE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "recorder/core/result.h"
#include "recorder/log/event_log.h"
#include "recorder/log/queries.h"
#include "replay/blob_refs.h"
#include "replay/resolver.h"

namespace muniment {

// The field of an event that `name` means: its path in the schema ("note_added.text",
// "actor.claimed"), or the end of one ("text") where only one field, or only one of the body, has
// that end. kInvalid, with the names of the event's fields, when it means none or several.
Result<BlobRef> find_erasable(const StoredEvent& stored, std::string_view name);

// The event that says that the text behind a commitment was erased; the first if there are more.
// Absent: none says so.
Result<std::optional<StoredEvent>> find_erasure(const LogReader& log, std::string_view commitment);

// How many events carry this commitment, of whatever run. Reads the whole log, but parses little
// of it. An `Erased` that only names it does not carry it.
Result<std::uint64_t> count_carriers(const LogReader& log, std::string_view commitment);

// Looks into `log`. The log's erasures are read once, when the first text is found to be gone.
Resolver resolver_of(const LogReader& log);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_ERASURE_H_
