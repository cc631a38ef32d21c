// How what a person decided gets into the log: at once, or through the inbox of whoever holds it.
#ifndef MUNIMENT_CLI_APPROVE_RECORD_H_
#define MUNIMENT_CLI_APPROVE_RECORD_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cli/settings.h"
#include "muniment/v1/event.pb.h"
#include "recorder/core/redact.h"
#include "recorder/log/store.h"
#include "recorder/stamper.h"

namespace muniment {

// A fact to be added, with the texts that it refers to.
struct Decision {
  v1::Event event;
  std::vector<std::string> blobs;
};

struct Added {
  std::string event_id;
  std::uint64_t sequence = 0;
  bool held = false;  // false: the holder of the store took it from its inbox
  bool checkpointed = false;
};

// What is to be done with the store while it is held, behind the fact. An error is the caller's.
using WhileHeld = std::function<Status(Store& store, Stamper& stamper)>;

// Records the fact, then does `behind`, then signs a checkpoint, so that the guard folder knows;
// one that cannot be signed is a warning. A store that another process holds gets the fact by its
// inbox, without the rest. kBusy: the holder did not take it in time; the file stays for the next
// writer. kCorrupt: the guard folder knows the store as older.
Result<Added> add_decision(const Globals& globals, Redactor& secrets, const std::string& folder,
                           Decision decision, const WhileHeld& behind);

// --reason behind a commitment, redacted.
v1::Erasable hide_reason(const std::string& reason, const Redactor& secrets,
                         std::vector<std::string>& blobs);

}  // namespace muniment

#endif  // MUNIMENT_CLI_APPROVE_RECORD_H_
