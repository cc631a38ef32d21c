#include <limits>
#include <memory>
#include <optional>

#include "cli/app.h"
#include "cli/approve_record.h"
#include "cli/command_table.h"
#include "cli/exit_code.h"
#include "cli/parse.h"
#include "cli/present.h"
#include "recorder/core/text.h"
#include "recorder/log/queries.h"
#include "recorder/visit_type.h"

namespace muniment {
namespace {

constexpr std::size_t kMostReasonBytes = 64U << 10U;

struct Options {
  std::string sequence;
  std::string reason;
};

// An approval that was accepted, and what became of it.
struct Accepted {
  std::string folder;
  StoredEvent event;
  std::optional<std::uint64_t> revoked;
  std::string consumed_by;  // run; empty: not consumed
};

Status read_fate(const LogReader& log, Accepted& out) {
  Status read = visit_type(log, v1::Event::kApprovalRevoked, [&](const StoredEvent& stored) {
    const bool is_this = stored.event.approval_revoked().accepted_sequence() == out.event.sequence;
    if (is_this && !out.revoked) out.revoked = stored.sequence;
    return Status();
  });
  if (!read) return read;
  return visit_type(log, v1::Event::kApprovalConsumed, [&](const StoredEvent& stored) {
    for (const std::uint64_t one : stored.event.approval_consumed().accepted_sequences()) {
      if (one != out.event.sequence) continue;
      out.consumed_by =
          stored.event.run_id().empty() ? "a change of the policy" : "run " + stored.event.run_id();
    }
    return Status();
  });
}

Result<Accepted> find_accepted(std::uint64_t sequence, const Globals& globals, Redactor& secrets) {
  Result<OpenLog> log = open_log(globals, secrets);
  if (!log) return pass(log);
  Result<StoredEvent> event = read_event(*log->reader, sequence);
  if (!event) return pass(event);
  if (!event->event.has_approval_accepted()) {
    return fail(ErrorCode::kNotFound,
                "event #" + std::to_string(sequence) +
                    " is no accepted approval; see `muniment events --type approval_accepted`");
  }
  Accepted out{log->folder, std::move(*event), {}, {}};
  if (Status status = read_fate(*log->reader, out); !status) return pass(status);
  return out;
}

std::string words_of(const v1::RevokeReport& report, const Accepted& accepted) {
  std::string out = "#" + std::to_string(report.sequence()) + " revoked the approval #" +
                    std::to_string(report.accepted_sequence()) + " of gate " +
                    inert(accepted.event.event.approval_accepted().gate());
  const std::string& module = accepted.event.event.module();
  if (!module.empty()) out += " for " + inert(module);
  if (!accepted.consumed_by.empty()) {
    out += "; " + accepted.consumed_by + " had consumed it: what still runs stops at its next step";
  }
  return out + "\n";
}

Result<int> revoke(const Options& options, const Globals& globals, Redactor& secrets) {
  const Result<std::uint64_t> sequence =
      parse_sequence(options.sequence, "muniment events --type approval_accepted");
  if (!sequence) return std::unexpected(sequence.error());
  if (options.reason.empty() || options.reason.size() > kMostReasonBytes) {
    return fail(ErrorCode::kInvalid, "--reason has " + std::to_string(options.reason.size()) +
                                         " bytes; say in up to 65536 why it is taken back");
  }
  // What the manifest refers to is secret here too, also where -s names the store.
  if (manifest_path(globals)) {
    Result<LoadedManifest> loaded = load_manifest(globals, secrets);
    if (!loaded) return pass(loaded);
  }
  Result<Accepted> accepted = find_accepted(*sequence, globals, secrets);
  if (!accepted) return pass(accepted);
  if (accepted->revoked) {
    return fail(ErrorCode::kInvalid, "the approval #" + std::to_string(*sequence) +
                                         " was revoked by #" + std::to_string(*accepted->revoked) +
                                         " already");
  }
  Decision decision;
  decision.event.set_module(accepted->event.event.module());
  decision.event.set_about_run(accepted->event.event.about_run());
  v1::ApprovalRevoked& body = *decision.event.mutable_approval_revoked();
  body.set_accepted_sequence(*sequence);
  *body.mutable_reason() = hide_reason(options.reason, secrets, decision.blobs);
  Result<Added> added = add_decision(globals, secrets, accepted->folder, std::move(decision), {});
  if (!added) return pass(added);
  v1::RevokeReport report;
  report.set_event_id(added->event_id);
  report.set_sequence(added->sequence);
  report.set_accepted_sequence(*sequence);
  report.set_about_run(accepted->event.event.about_run());
  report.set_log_state(added->checkpointed ? "checkpointed" : "integrated");
  return present(globals, report, {}, words_of(report, *accepted), kExitDone);
}

}  // namespace

void declare_revoke(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = root.add_subcommand("revoke", "Take an approval back");
  command->add_option("SEQ", options->sequence, "The approval that was accepted: 412")
      ->required()
      ->type_name("SEQ");
  command->add_option("--reason", options->reason, "Why; recorded, and erasable")->required();
  command->footer(
      "Example:\n  muniment revoke 412 --reason \"the vendor called the update off\"\n\n"
      "An execution that consumed it already stops at its next step; what it has done stays done.\n"
      "Exit: 0 revoked, 2 usage or revoked already, 5 the store is older than the guard folder\n"
      "      knows, 6 the holder of the store did not take it, 7 no such approval");
  command->callback([options, &chosen] {
    chosen = [options](const Globals& globals, Redactor& secrets) {
      return revoke(*options, globals, secrets);
    };
  });
}

}  // namespace muniment
