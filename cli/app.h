// The composition root: the only place where concrete classes are named.
#ifndef MUNIMENT_CLI_APP_H_
#define MUNIMENT_CLI_APP_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/settings.h"
#include "muniment/v1/report.pb.h"
#include "recorder/log/store.h"
#include "recorder/recorder.h"
#include "recorder/stamper.h"
#include "recorder/world/host_command.h"
#include "replay/json.h"

namespace muniment {

// What a command wants recorded.
struct RunOptions {
  std::string purpose;
  v1::Mode mode = v1::MODE_UNSPECIFIED;
  Selection selection;
  bool require_landlock = false;
  bool resolve_only = false;
  bool keep = true;  // false: the events go to a log in memory and are gone afterwards
  std::string plan;  // RUN whose rehearsed plan is to be executed; empty: none
  std::optional<CommandLine> command;  // what `exec` runs, for the one module that is selected
};

// A run as it ended; an error of the environment is a Result.
Result<v1::RunState> record_run(const Globals& globals, const RunOptions& options,
                                Redactor& secrets);

// Who acts: the claim (--actor, MUNIMENT_ACTOR, operator:$USER) and what is observed. `blobs` takes
// the salted texts behind the commitments. kInvalid for a claim that is not KIND:NAME.
Result<v1::Actor> make_actor(const Globals& globals, const Redactor& secrets,
                             std::vector<std::string>& blobs);

// The envelope of one invocation.
Result<Envelope> make_envelope(const Globals& globals, const Redactor& secrets,
                               const std::string& host_name, const std::string& origin,
                               v1::Mode mode, Clock& clock, std::vector<std::string>& blobs);

LockRequest lock_request(const Globals& globals, const Redactor& secrets);

// The reader of the store that the settings name. A store that is missing is kInvalid and names
// init.
struct OpenLog {
  std::string folder;
  std::unique_ptr<LogReader> reader;
};
Result<OpenLog> open_log(const Globals& globals, Redactor& secrets);

Result<std::unique_ptr<Store>> open_for_writing(const std::string& folder, const Globals& globals,
                                                const Redactor& secrets);

Resolver resolver_for(const LogReader& log);

// Environment variables as "NAME=value".
std::vector<std::string> whole_environment();

}  // namespace muniment

#endif  // MUNIMENT_CLI_APP_H_
