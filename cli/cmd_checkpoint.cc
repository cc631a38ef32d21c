#include <memory>

#include "cli/app.h"
#include "cli/command_table.h"
#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/outside_run.h"
#include "cli/present.h"
#include "recorder/core/text.h"
#include "recorder/log/sign.h"

namespace muniment {
namespace {

struct Held {
  std::string folder;
  std::string guard;
  OutsideRun outside;
  std::unique_ptr<Store> store;
};

Result<Held> hold(const Globals& globals, Redactor& secrets) {
  Result<std::string> folder = store_path(globals, secrets);
  if (!folder) return pass(folder);
  Result<std::string> guard = guard_path(globals, secrets, *folder);
  if (!guard) return pass(guard);
  std::string origin;
  {
    Result<OpenLog> log = open_log(globals, secrets);
    if (!log) return pass(log);
    Result<v1::StoreState> state = log->reader->state();
    if (!state) return pass(state);
    origin = state->origin();
  }
  Result<OutsideRun> outside = OutsideRun::begin(globals, secrets, origin);
  if (!outside) return pass(outside);
  Result<std::unique_ptr<Store>> store = outside->hold(globals, secrets, *folder);
  if (!store) return pass(store);
  return Held{*std::move(folder), *std::move(guard), *std::move(outside), *std::move(store)};
}

// The break is an event before it is signed over: whoever reads the log finds what it broke with.
Status record_fork(Held& held, const LogKeys& keys, const std::string& reason,
                   const Redactor& secrets) {
  Result<std::optional<Fork>> fork =
      find_fork(*held.store, held.folder, keys.current.verifier, held.guard);
  if (!fork) return pass(fork);
  if (!fork->has_value()) {
    return fail(ErrorCode::kInvalid,
                "there is no fork to accept: the log extends all that the "
                "guard " +
                    inert(held.guard) +
                    " knows; leave out "
                    "--accept-fork");
  }
  v1::Event event;
  v1::ForkAccepted& body = *event.mutable_fork_accepted();
  body.set_known_checkpoint((*fork)->known.checkpoint);
  Hidden hidden = hide(secrets.redact(reason));
  *body.mutable_reason() = hidden.field;
  const Result<std::uint64_t> recorded =
      held.outside.record(*held.store, std::move(event), {std::move(hidden.blob)});
  return recorded ? Status() : std::unexpected(recorded.error());
}

int show(const Globals& globals, const SignedCheckpoint& made, const std::string& guard) {
  v1::CheckpointReport report;
  report.set_origin(made.checkpoint.origin);
  report.set_size(made.checkpoint.size);
  report.set_root_hash(std::string(as_bytes(made.checkpoint.root)));
  report.set_note(made.note);
  report.set_is_new(made.is_new);
  report.set_guard(valid_utf8(guard));
  return present(globals, report, {}, made.note, kExitDone);
}

Result<int> sign(const std::string& reason, bool accept, const Globals& globals,
                 Redactor& secrets) {
  if (accept && reason.empty()) {
    return fail(ErrorCode::kInvalid, "--accept-fork wants a reason that somebody can read later");
  }
  if (accept) {
    std::vector<std::string> blobs;
    const Result<v1::Actor> actor = make_actor(globals, secrets, blobs);
    if (!actor) return std::unexpected(actor.error());
    if (actor->kind() != v1::ACTOR_KIND_OPERATOR) {
      return fail(ErrorCode::kRefused,
                  "only an operator accepts a fork: approvals from before it count no more");
    }
  }
  Result<Held> held = hold(globals, secrets);
  if (!held) return pass(held);
  Result<LogKeys> keys = read_log_keys(held->folder, *held->store);
  if (!keys) return pass(keys);
  if (accept) {
    if (Status recorded = record_fork(*held, *keys, reason, secrets); !recorded) {
      return pass(recorded);
    }
  }
  Result<SignedCheckpoint> made = sign_checkpoint(*held->store, *keys, held->guard, accept);
  if (!made) return pass(made);
  return show(globals, *made, held->guard);
}

Result<int> show_key(bool pem, const Globals& globals, Redactor& secrets) {
  Result<OpenLog> log = open_log(globals, secrets);
  if (!log) return pass(log);
  Result<v1::StoreState> state = log->reader->state();
  if (!state) return pass(state);
  Result<NoteKey> key = read_verifier_key(log->folder, state->origin());
  if (!key) return pass(key);
  v1::KeyReport report;
  report.set_vkey(vkey_of(*key));
  report.set_pem(public_key_pem(key->public_key));
  return present(globals, report, {}, pem ? report.pem() : report.vkey() + "\n", kExitDone);
}

Result<int> rotate_key(const Globals& globals, Redactor& secrets) {
  Result<Held> held = hold(globals, secrets);
  if (!held) return pass(held);
  Result<LogKeys> keys = read_log_keys(held->folder, *held->store);
  if (!keys) return pass(keys);
  const std::string old_vkey = vkey_of(keys->current.verifier);
  if (!keys->next) {
    // What cannot be signed over must not be rotated away.
    Result<std::optional<Fork>> fork =
        find_fork(*held->store, held->folder, keys->current.verifier, held->guard);
    if (!fork) return pass(fork);
    if (fork->has_value()) return fail(ErrorCode::kCorrupt, (*fork)->why);
    Result<LogKey> next = make_next_key(held->folder, keys->current.verifier.name);
    if (!next) return pass(next);
    v1::Event event;
    event.mutable_key_rotated()->set_old_vkey(old_vkey);
    event.mutable_key_rotated()->set_new_vkey(vkey_of(next->verifier));
    const Result<std::uint64_t> recorded = held->outside.record(*held->store, std::move(event), {});
    if (!recorded) return std::unexpected(recorded.error());
    keys->next = *std::move(next);
  } else {
    say("going on with the rotation that was recorded and not finished");
  }
  Result<SignedCheckpoint> made = sign_checkpoint(*held->store, *keys, held->guard);
  if (!made) return pass(made);
  v1::KeyReport report;
  report.set_old_vkey(old_vkey);
  report.set_vkey(vkey_of(keys->next->verifier));
  report.set_pem(public_key_pem(keys->next->verifier.public_key));
  report.set_checkpoint_size(made->checkpoint.size);
  return present(globals, report, {},
                 "old " + report.old_vkey() + "\nnew " + report.vkey() + "\nthe checkpoint of " +
                     std::to_string(report.checkpoint_size()) +
                     " events carries both signatures; give the new key to whoever verifies\n",
                 kExitDone);
}

}  // namespace

void declare_checkpoint(CLI::App& root, Action& chosen) {
  auto reason = std::make_shared<std::string>();
  CLI::App* command =
      root.add_subcommand("checkpoint", "Sign the log as it is, and print the signed checkpoint");
  CLI::Option* accept = command->add_option(
      "--accept-fork", *reason,
      "Go on from here although the guard knows a longer or another log; the reason is recorded");
  accept->type_name("REASON");
  command->footer(
      "Example:\n  muniment checkpoint > checkpoint.txt\n\n"
      "An execution signs when it ends; this is for what was recorded since (dry runs, notes).\n"
      "Exit: 0 signed, 1 store or guard cannot be written, 2 usage, 5 the log does not extend "
      "what\n"
      "      was signed before, 6 store busy, 7 no key");
  command->callback([reason, accept, &chosen] {
    chosen = [reason, accept](const Globals& globals, Redactor& secrets) {
      return sign(*reason, accept->count() > 0, globals, secrets);
    };
  });
}

void declare_key(CLI::App& root, Action& chosen) {
  CLI::App* command = root.add_subcommand("key", "The key that the log is signed with");
  command->require_subcommand(1);
  CLI::App* shown = command->add_subcommand("show", "Print the public key as a verifier key");
  auto pem = std::make_shared<bool>(false);
  shown->add_flag("--pem", *pem, "As PEM, for openssl");
  CLI::App* rotated =
      command->add_subcommand("rotate", "Make a new key, record it, sign with both");
  command->footer(
      "Example:\n  muniment key show          # hand this to whoever verifies\n\n"
      "Exit: 0 done, 2 usage, 5 the log does not extend what was signed before, 6 store busy,\n"
      "      7 no key");
  shown->callback([pem, &chosen] {
    chosen = [pem](const Globals& globals, Redactor& secrets) {
      return show_key(*pem, globals, secrets);
    };
  });
  rotated->callback([&chosen] {
    chosen = [](const Globals& globals, Redactor& secrets) { return rotate_key(globals, secrets); };
  });
}

}  // namespace muniment
