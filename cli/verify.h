// What `verify` can be asked: a store, or something that somebody handed over.
#ifndef MUNIMENT_CLI_VERIFY_H_
#define MUNIMENT_CLI_VERIFY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/settings.h"
#include "muniment/v1/report.pb.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"
#include "replay/trust.h"

namespace muniment {

struct VerifyOptions {
  std::string path;     // a file, or the folder of a published log; empty: the store
  Trust trust;          // as named on the command line
  std::string against;  // a checkpoint file that what is verified must extend; empty: none
  std::string since;    // a checkpoint file: the store is checked from there on; empty: all of it
  std::string leaf;     // the file of the event that an inclusion proof is about; empty: none
  bool artifacts = false;
};

// The store that the settings name. Where no key is named, the store's own counts, under the
// origin that is named, or the manifest's, or the store's. What the guard knows must be extended.
Result<v1::VerifyReport> verify_store(const VerifyOptions& options, const Globals& globals,
                                      Redactor& secrets);

// The file or folder at options.path, told apart by its content.
// kInvalid: it cannot be read, is nothing that can be verified, or does not go with an option.
Result<v1::VerifyReport> verify_path(const VerifyOptions& options);

// Reads every artifact again that runs of the log committed and nobody removed, those of a folder
// that was committed and never settled among them: a regular file of one link with its mode, size
// and SHA-256. Findings name the path and the event of the artifact.
Status verify_artifacts(const LogReader& log, const Globals& globals, v1::VerifyReport& report);

// The content of a file that is to be verified, of at most 1 GiB; kInvalid: it cannot be read.
Result<std::string> read_evidence(const std::string& path);

}  // namespace muniment

#endif  // MUNIMENT_CLI_VERIFY_H_
