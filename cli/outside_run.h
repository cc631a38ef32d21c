// A fact that no run records: a note, a rotation of the key. The store is held for writing.
#ifndef MUNIMENT_CLI_OUTSIDE_RUN_H_
#define MUNIMENT_CLI_OUTSIDE_RUN_H_

#include <memory>
#include <string>
#include <vector>

#include "cli/settings.h"
#include "muniment/v1/event.pb.h"
#include "recorder/clock.h"
#include "recorder/core/redact.h"
#include "recorder/core/result.h"
#include "recorder/log/store.h"
#include "recorder/stamper.h"

namespace muniment {

// An invocation of its own: one envelope, its clock. Facts can be stamped before the store is
// held, so that one which waits in the inbox has its id and time already.
class OutsideRun {
 public:
  // `origin` is the log's. kInvalid for a claimed actor that is none.
  static Result<OutsideRun> begin(const Globals& globals, const Redactor& secrets,
                                  const std::string& origin);

  // The event as an entry; the first one carries the actor's texts along.
  Entry stamp(v1::Event body, std::vector<std::string> blobs);

  // Stamps a fact and appends it to a store that is held. Its sequence.
  Result<std::uint64_t> record(Store& store, v1::Event body, std::vector<std::string> blobs);

  // For facts that others make out of what is recorded here (recorder/approvals.h).
  Stamper& stamper() { return *stamper_; }

  // Takes the store, says which runs died, takes in what waits in the inbox. Errors: as
  // open_store(); kInvalid when there is no store.
  Result<std::unique_ptr<Store>> hold(const Globals& globals, const Redactor& secrets,
                                      const std::string& folder);

 private:
  OutsideRun(std::unique_ptr<Clock> clock, Envelope envelope, std::vector<std::string> blobs);

  std::unique_ptr<Clock> clock_;
  std::unique_ptr<Stamper> stamper_;
  std::vector<std::string> blobs_;  // not yet taken along
};

}  // namespace muniment

#endif  // MUNIMENT_CLI_OUTSIDE_RUN_H_
