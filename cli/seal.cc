#include "cli/seal.h"

#include "cli/diagnostics.h"
#include "recorder/core/digest.h"
#include "recorder/core/tlog/dsse.h"
#include "recorder/log/sign.h"
#include "replay/statement.h"

namespace muniment {
namespace {

Status sign_statement(Store& store, const std::string& run_id, const LogKey& key) {
  Result<std::optional<std::string>> payload = make_statement(store, run_id);
  if (!payload) return pass(payload);
  if (!payload->has_value()) return {};
  const DsseEnvelope envelope =
      sign_dsse(std::string(kStatementPayloadType), std::move(**payload), key.verifier, key.secret);
  return store.keep_signed(run_id, format_dsse(envelope));
}

}  // namespace

Status seal_execution(Store& store, const v1::RunState& run, const std::string& guard) {
  Result<LogKeys> keys = read_log_keys(store.folder(), store);
  if (!keys) return pass(keys);
  Result<SignedCheckpoint> made = sign_checkpoint(store, *keys, guard);
  if (!made) return pass(made);
  const LogKey& key = keys->next ? *keys->next : keys->current;
  if (Status stated = sign_statement(store, run.run_id(), key); !stated) return stated;
  say("checkpoint: " + std::to_string(made->checkpoint.size) + " events, root " +
      to_hex(made->checkpoint.root).substr(0, 16) + "…");
  return {};
}

}  // namespace muniment
