#include "cli/seal.h"

#include "cli/diagnostics.h"
#include "recorder/core/digest.h"
#include "recorder/log/sign.h"

namespace muniment {

Status seal_execution(Store& store, const v1::RunState& /*run*/, const std::string& guard) {
  Result<LogKeys> keys = read_log_keys(store.folder(), store);
  if (!keys) return pass(keys);
  Result<SignedCheckpoint> made = sign_checkpoint(store, *keys, guard);
  if (!made) return pass(made);
  say("checkpoint: " + std::to_string(made->checkpoint.size) + " events, root " +
      to_hex(made->checkpoint.root).substr(0, 16) + "…");
  return {};
}

}  // namespace muniment
