// The owner's check: everything derived is derived again from the events and compared.
//
// One pass over the events in bounded memory. Rows of index and tree are compared as multisets
// (sums of seeded 128-bit hashes), since their order differs from the events'; where the sums
// differ, a second pass finds the row.
#ifndef MUNIMENT_REPLAY_AUDIT_H_
#define MUNIMENT_REPLAY_AUDIT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "recorder/core/result.h"
#include "recorder/log/event_log.h"

namespace muniment {

// One thing that is not what it claims.
struct Finding {
  std::optional<std::uint64_t> sequence;  // the first event concerned, where one is
  std::string what;
  std::string expected;
  std::string found;
};

struct AuditResult {
  std::uint64_t events = 0;
  std::uint64_t nodes = 0;
  std::uint64_t index_rows = 0;
  std::uint64_t runs = 0;
  std::uint64_t blobs = 0;
  std::string root;               // hexadecimal, as recomputed
  std::vector<Finding> findings;  // by sequence, at most 20; empty: intact
};

// `seed` must not be known to whoever may have changed the store. `progress` is told the number of
// events done, now and then. An error means that the check could not be made.
Result<AuditResult> audit(const LogReader& log, std::uint64_t seed,
                          const std::function<void(std::uint64_t done)>& progress);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_AUDIT_H_
