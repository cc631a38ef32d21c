// The inbox: how a process adds a fact while a run holds the store.
//
// STORE/inbox/<event_id> is a serialized InboxItem, mode 0600, written under a temporary name,
// fsynced, renamed.
#ifndef MUNIMENT_RECORDER_LOG_INBOX_H_
#define MUNIMENT_RECORDER_LOG_INBOX_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "recorder/core/result.h"
#include "recorder/log/event_log.h"

namespace muniment {

// Leaves a fact. Durable when it returns.
Status leave_in_inbox(const std::string& store_folder, const Entry& entry);

// Appends what lies in the inbox, in order of event id, and removes each file once its event is
// durable. Only facts that people add are taken (NoteAdded, CheckRecorded, CandidateRecommended,
// Approval{Requested, Submitted,Revoked}), from regular files of mode 0600 owned by the effective
// user, whose name is the event's id. Anything else is left where it is and named in `refused`. A
// file that vanishes is not an error.
struct Drained {
  std::vector<std::uint64_t> sequences;
  std::vector<std::string> refused;  // "NAME: why"
};
Result<Drained> drain_inbox(const std::string& store_folder, LogWriter& log);

// Waits until the event is in the log, polling; its sequence. kBusy when the time is over: the file
// stays for the next writer.
Result<std::uint64_t> wait_for_event(const std::string& store_folder, std::string_view event_id,
                                     std::chrono::milliseconds limit);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_INBOX_H_
