#include <memory>

#include "cli/approve_draft.h"
#include "cli/approve_files.h"
#include "cli/approve_key.h"
#include "cli/approve_record.h"
#include "cli/approve_subject.h"
#include "cli/command_table.h"
#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/present.h"
#include "cli/terminal_dialog.h"
#include "recorder/approvals.h"
#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "recorder/core/timestamp.h"
#include "recorder/world/ssh_keygen.h"

namespace muniment {
namespace {

std::int64_t now_ns() {
  return make_host_clock()->now().wall_ns;
}

Status check_options(const ApproveOptions& options) {
  std::string problem;
  const int ways = (options.request ? 1 : 0) + (options.export_file.empty() ? 0 : 1) +
                   (options.import_file.empty() ? 0 : 1);
  if (ways > 1) problem = "--request, --export and --import are three things; choose one";
  if (options.policy != options.run.empty()) {
    problem = "say either RUN, whose plan is approved, or --policy";
  } else if (options.policy != options.module.empty()) {
    problem = options.policy ? "a change of the policy is about no --module"
                             : "--module is missing: which one is the candidate?";
  }
  if (options.policy && !options.guarded.empty()) problem = "--guarded goes with a RUN";
  if (options.import_file.empty() && !options.signature_file.empty()) {
    problem = "--signature goes with --import";
  }
  if (!options.key.empty() && ways > 0) problem = "--key signs here; leave it out";
  const bool stated = !options.expires.empty() || !options.not_before.empty();
  if (stated && (options.request || !options.import_file.empty())) {
    problem = "the times of an approval stand in its statement; leave out --expires, --not-before";
  }
  if (!options.reason.empty() && !options.import_file.empty()) {
    problem = "the reason of an imported approval is in FILE.reason; leave out --reason";
  }
  if (problem.empty()) return {};
  return fail(ErrorCode::kInvalid, problem);
}

// Only people approve. Who merely says that he is one is found out by the signature.
Status check_actor(const ApproveOptions& options, const Globals& globals, const Redactor& secrets) {
  std::vector<std::string> blobs;
  const Result<v1::Actor> actor = make_actor(globals, secrets, blobs);
  if (!actor) return std::unexpected(actor.error());
  if (options.request || actor->kind() == v1::ACTOR_KIND_OPERATOR) return {};
  return fail(ErrorCode::kRefused,
              "only an operator approves; an agent may ask for it with --request");
}

// One `approve` at work: what it is about, and what it will answer.
struct Work {
  const ApproveOptions& options;
  const Globals& globals;
  Redactor& secrets;
  ApproveSubject subject;
  v1::ApproveReport report;
};

void begin_report(Work& work) {
  const ApproveSubject& subject = work.subject;
  work.report.set_gate(subject.gate);
  work.report.set_module(subject.module);
  work.report.set_guarded(subject.guarded);
  work.report.set_run_id(subject.rehearsal.run_id());
  work.report.set_plan_digest(subject.plan_digest);
  work.report.set_needed(subject.policy.policy.approvals);
}

std::string about(const ApproveSubject& subject) {
  if (subject.is_change()) return "a change of the policy of gate " + inert(subject.gate);
  return "gate " + inert(subject.gate) + " for " + inert(subject.module) + " (" +
         inert(subject.guarded) + ", plan " + subject.plan_digest.substr(0, 8) + ")";
}

void set_place(const ApproveSubject& subject, v1::Event& event) {
  if (subject.is_change()) return;
  event.set_module(subject.module);
  event.set_about_run(subject.rehearsal.run_id());
}

Result<int> request(Work& work) {
  Decision decision;
  set_place(work.subject, decision.event);
  v1::ApprovalRequested& body = *decision.event.mutable_approval_requested();
  body.set_gate(work.subject.gate);
  body.set_plan_digest(work.subject.plan_digest);
  body.set_guarded(work.subject.guarded);
  if (!work.options.reason.empty()) {
    *body.mutable_reason() = hide_reason(work.options.reason, work.secrets, decision.blobs);
  }
  Result<Added> added =
      add_decision(work.globals, work.secrets, work.subject.folder, std::move(decision), {});
  if (!added) return pass(added);
  work.report.set_state("requested");
  work.report.set_event_id(added->event_id);
  work.report.set_sequence(added->sequence);
  return present(
      work.globals, work.report, {},
      "#" + std::to_string(added->sequence) + " asks to approve " + about(work.subject) + "\n",
      kExitDone);
}

// The person says which plan is meant by typing it: a page can be passed over, a digest not.
Status confirm(const Work& work, const std::string& page) {
  const std::string wanted = confirmation_of(work.subject);
  std::optional<TerminalDialog> dialog = TerminalDialog::open();
  if (dialog) {
    dialog->show(page);
  } else if (!work.globals.quiet && work.globals.log_format == "text") {
    show_on_standard_error(page);
  }
  std::string said = work.options.confirm;
  if (said.empty() && dialog) {
    Result<std::string> typed = dialog->ask("Type " + inert(wanted) + " to approve: ");
    if (!typed) return pass(typed);
    said = std::move(*typed);
  }
  if (said == wanted) return {};
  return fail(
      ErrorCode::kInvalid,
      (said.empty() ? "not confirmed" : "`" + inert_short(said, 80) + "` does not confirm it") +
          (dialog ? "; type `"
                  : "; if this is what you approve, add "
                    "--confirm `") +
          inert(wanted) + "`; nothing was recorded");
}

Result<int> export_to_file(Work& work, const ApprovalDraft& draft) {
  const std::string& file = work.options.export_file;
  if (Status status = export_draft(draft, file); !status) return pass(status);
  work.report.set_state("exported");
  work.report.set_file(valid_utf8(file));
  *work.report.mutable_expires() = timestamp_of(draft.statement.expires_ns);
  return present(work.globals, work.report, {},
                 "wrote " + inert(file) + "; where the key is, sign it with\n  " +
                     signing_command(file) + "\nthen add --import " + inert(file) +
                     " here, in the place of --export\n",
                 kExitDone);
}

Decision make_submission(const ApproveSubject& subject, const ApprovalDraft& draft,
                         const std::string& signature) {
  Decision out;
  set_place(subject, out.event);
  v1::ApprovalSubmitted& body = *out.event.mutable_approval_submitted();
  body.set_statement_sha256(std::string(as_bytes(sha256(draft.text))));
  body.set_signature(signature);
  out.blobs.push_back(draft.text);
  if (draft.reason) {
    *body.mutable_reason() = draft.reason->field;
    out.blobs.push_back(draft.reason->blob);
  }
  if (subject.is_change()) {
    const std::string policy = format_policy(subject.next->policy);
    body.set_policy_sha256(std::string(as_bytes(sha256(policy))));
    body.set_signers_sha256(std::string(as_bytes(sha256(subject.next->signers))));
    out.blobs.push_back(policy);
    out.blobs.push_back(subject.next->signers);
  }
  return out;
}

// What became of the submission `submitted`.
void read_verdict(const std::vector<Settled>& settled, const std::string& submitted,
                  v1::ApproveReport& report) {
  for (const Settled& one : settled) {
    const v1::Event& event = one.event;
    if (event.caused_by() == submitted && event.has_approval_rejected()) {
      report.set_state("rejected");
      report.set_why(event.approval_rejected().why());
      report.set_sequence(one.sequence);
    } else if (event.caused_by() == submitted && event.has_approval_accepted()) {
      report.set_state("accepted");
      report.set_sequence(one.sequence);
    }
  }
}

bool is_in_force(const std::vector<Settled>& settled) {
  for (const Settled& one : settled) {
    if (one.event.has_gate_policy_recorded()) return true;
  }
  return false;
}

// "#412 accepted …" in a line, and what comes next.
std::string say_verdict(const Work& work, bool in_force) {
  const v1::ApproveReport& report = work.report;
  const std::string sequence = "#" + std::to_string(report.sequence());
  if (report.state() == "submitted") {
    return sequence +
           " submitted; the holder of the store or the next writer will judge it, see `muniment "
           "events`\n";
  }
  std::string out = sequence + " " + report.state() + ": " + about(work.subject) + " by " +
                    inert(report.principal()) + " (" + report.key_fingerprint() + ")";
  if (report.state() == "rejected") return out + ": " + inert(report.why()) + "\n";
  out += " until " + rfc3339(report.expires()).substr(0, 19) + "Z, " +
         std::to_string(report.counted()) + " of " + std::to_string(report.needed()) +
         " approvals\n";
  if (in_force) out += "The policy is in force.\n";
  return out;
}

Result<int> submit(Work& work, const ApprovalDraft& draft, const std::string& signature) {
  Decision decision = make_submission(work.subject, draft, signature);
  v1::ApproveReport& report = work.report;
  *report.mutable_expires() = timestamp_of(draft.statement.expires_ns);
  std::vector<Settled> settled;
  const WhileHeld settle = [&](Store& store, Stamper& stamper) -> Status {
    Result<std::vector<Settled>> made =
        settle_submissions(store, store, work.subject.rules, stamper, now_ns());
    if (!made) return pass(made);
    settled = std::move(*made);
    Result<std::uint32_t> counted = count_keys(store, work.subject, now_ns());
    if (!counted) return pass(counted);
    report.set_counted(is_in_force(settled) ? report.needed() : *counted);
    return {};
  };
  Result<Added> added =
      add_decision(work.globals, work.secrets, work.subject.folder, std::move(decision), settle);
  if (!added) return pass(added);
  report.set_event_id(added->event_id);
  report.set_sequence(added->sequence);
  report.set_state("submitted");
  read_verdict(settled, added->event_id, report);
  const int code = report.state() == "rejected" ? kExitClosed : kExitDone;
  return present(work.globals, report, {}, say_verdict(work, is_in_force(settled)), code);
}

// A signature that does not count is refused before anything is recorded of it.
Result<int> judge_and_submit(Work& work, const ApprovalDraft& draft, const std::string& signature) {
  Result<SignatureCheck> checked =
      check_ssh_signature(draft.text, signature, work.subject.policy.signers);
  if (!checked) return pass(checked);
  const std::optional<std::string> fault =
      fault_of_signed(work.subject, draft.statement, *checked, now_ns());
  if (fault) {
    return fail(ErrorCode::kRefused,
                "this approval would not count: " + *fault + "; nothing was recorded");
  }
  work.report.set_key_fingerprint(checked->fingerprint);
  work.report.set_principal(valid_utf8(checked->principal));
  return submit(work, draft, signature);
}

Result<int> sign_here(Work& work, const ApprovalDraft& draft, const std::string& page) {
  const std::vector<std::string> environment = whole_environment();
  Result<ApproveKey> key = choose_key(work.options.key, work.subject.policy.signers, environment);
  if (!key) return pass(key);
  if (Status status = confirm(work, page); !status) return pass(status);
  Result<std::string> signature = sign_approval(*key, draft.text, environment);
  if (!signature) return pass(signature);
  return judge_and_submit(work, draft, *signature);
}

Result<int> decide(Work& work, const OpenLog& opened) {
  Result<ApprovalDraft> draft = draft_approval(work.subject, work.options, work.secrets, now_ns());
  if (!draft) return pass(draft);
  Result<std::string> page = page_of(work.subject, draft->statement,
                                     work.secrets.redact(work.options.reason), *opened.reader);
  if (!page) return pass(page);
  if (work.options.export_file.empty()) return sign_here(work, *draft, *page);
  if (Status status = confirm(work, *page); !status) return pass(status);
  return export_to_file(work, *draft);
}

Result<int> approve(const ApproveOptions& options, const Globals& globals, Redactor& secrets) {
  if (Status status = check_options(options); !status) return pass(status);
  if (Status status = check_actor(options, globals, secrets); !status) return pass(status);
  const Result<LoadedManifest> loaded = load_manifest(globals, secrets);
  if (!loaded) return std::unexpected(loaded.error());
  Result<OpenLog> log = open_log(globals, secrets);
  if (!log) return pass(log);
  const Result<std::string> guard = guard_path(globals, secrets, log->folder);
  if (!guard) return std::unexpected(guard.error());
  Result<ApproveSubject> subject = find_subject(options, loaded->manifest, *log, *guard, now_ns());
  if (!subject) return pass(subject);
  Work work{options, globals, secrets, std::move(*subject), {}};
  begin_report(work);
  if (options.request) return request(work);
  if (options.import_file.empty()) return decide(work, *log);
  const Result<ImportedApproval> imported =
      import_signed(options.import_file, options.signature_file);
  if (!imported) return std::unexpected(imported.error());
  return judge_and_submit(work, imported->draft, imported->signature);
}

void declare_options(CLI::App& command, ApproveOptions& options) {
  command.add_option("RUN", options.run, "The rehearsal: id, prefix, latest:MODULE");
  command.add_option("--gate", options.gate, "Which gate: F3")->required();
  command.add_option("--module", options.module, "The candidate");
  command.add_option("--guarded", options.guarded, "backup or exec; default: what RUN rehearsed");
  command.add_option("--key", options.key,
                     "The key that signs: a private key, or a public one whose private half "
                     "ssh-agent holds; default: the signer's key in ssh-agent");
  command.add_option("--reason", options.reason, "Why; recorded, and erasable");
  command.add_option("--expires", options.expires,
                     "For how long: 4h; default and most: the gate's");
  command.add_option("--not-before", options.not_before, "From when on: 2026-11-22T09:42:00Z");
  command.add_option("--confirm", options.confirm,
                     "Gate and short plan digest, F3@1a2b3c4d, where no terminal can be asked");
  command.add_flag("--request", options.request, "Ask for an approval; what an agent may do");
  command.add_option("--export", options.export_file, "Write the statement for a key elsewhere");
  command.add_option("--import", options.import_file, "The exported statement, signed as FILE.sig");
  command.add_option("--signature", options.signature_file, "The signature, if not FILE.sig");
  command.add_flag("--policy", options.policy,
                   "Approve the policy that the manifest states now, in the place of the one on "
                   "record");
}

}  // namespace

void declare_approve(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<ApproveOptions>();
  CLI::App* command = root.add_subcommand(
      "approve", "Sign, with your SSH key, that one rehearsed plan may be executed once");
  declare_options(*command, *options);
  command->footer(
      "Example:\n  muniment approve latest:notes --gate F3 --module notes --key ~/.ssh/id_ed25519\n"
      "  muniment approve latest:notes --gate F3 --module notes --export notes.approval\n"
      "  muniment approve --policy --gate F3\n\n"
      "The signature is ssh-keygen's (package openssh-client), in the namespace\n"
      "muniment-approval; the gate's signers are those on record, in OpenSSH's allowed_signers\n"
      "format.\n"
      "Exit: 0 accepted, requested or exported, 2 usage or not confirmed, 3 rejected or refused,\n"
      "      5 the store is older than the guard folder knows, 6 the holder of the store did not\n"
      "      take it, 7 no such RUN, 8 no ssh-keygen, 130 interrupted");
  command->callback([options, &chosen] {
    chosen = [options](const Globals& globals, Redactor& secrets) {
      return approve(*options, globals, secrets);
    };
  });
}

}  // namespace muniment
