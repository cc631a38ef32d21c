#include "recorder/log/sign.h"

#include <algorithm>

#include "recorder/core/text.h"
#include "recorder/core/tlog/tree_proof.h"
#include "recorder/log/key_codec.h"
#include "recorder/log/prover.h"
#include "recorder/log/queries.h"

namespace muniment {
namespace {

// Reads a checkpoint that this key is said to have signed.
Result<Checkpoint> read_signed(const std::string& note, const NoteKey& key) {
  Result<Note> parsed = parse_note(note);
  if (!parsed) return pass(parsed);
  const NoteKey keys[] = {key};
  Result<std::vector<NoteKey>> signers = signers_of(*parsed, keys);
  if (!signers) return pass(signers);
  if (signers->empty()) {
    return fail(ErrorCode::kCorrupt, "it is not signed by " + vkey_of(key));
  }
  return parse_checkpoint(parsed->text);
}

// "": the log extends the checkpoint; else why it does not.
Result<std::string> why_not_extended(const LogReader& log, const v1::StoreState& state,
                                     const Checkpoint& old) {
  if (old.origin != state.origin()) {
    return "it is of the log " + inert(old.origin) + ", this is " + inert(state.origin());
  }
  if (old.size > state.size()) {
    return "it covers " + counted(old.size, "event") + " and this store has " +
           std::to_string(state.size()) + ": the store was replaced by an older copy, or cut";
  }
  if (old.size == 0) return "";
  const Digest root = digest_from_bytes(state.root());
  Result<std::vector<Digest>> proof = prove_consistency(log, old.size, state.size());
  if (!proof) return pass(proof);
  const Status verified = verify_consistency(old.size, state.size(), *proof, old.root, root);
  if (verified) return "";
  return "its first " + counted(old.size, "event") + " are other ones than this store's";
}

// Whether the log tells itself that this key was its key once, or is to follow the current one.
bool is_of_a_rotation(const LogReader& log, const NoteKey& key, const NoteKey& current) {
  bool found = false;
  const Status read =
      read_indexed(log, IndexTag::kByType, type_value(v1::Event::kKeyRotatedFieldNumber), 0,
                   Direction::kForward, [&](const StoredEvent& stored) {
                     const v1::KeyRotated& rotation = stored.event.key_rotated();
                     const bool follows = rotation.new_vkey() == vkey_of(key) &&
                                          rotation.old_vkey() == vkey_of(current);
                     found = follows || rotation.old_vkey() == vkey_of(key);
                     return !found;
                   });
  return read && found;
}

Result<std::optional<Fork>> compare(const Guarded& entry, const LogReader& log,
                                    const v1::StoreState& state, const std::string& guard) {
  if (entry.checkpoint.empty()) return std::nullopt;
  Result<Checkpoint> known = read_signed(entry.checkpoint, entry.key);
  if (!known) {
    return fail(ErrorCode::kCorrupt, "guard " + inert(guard) + ": the checkpoint of " +
                                         vkey_of(entry.key) +
                                         " cannot be believed: " + known.error().message +
                                         "; find out who changed it, or restore it from a copy");
  }
  Result<std::string> why = why_not_extended(log, state, *known);
  if (!why) return pass(why);
  if (why->empty()) return std::nullopt;
  return Fork{entry, "the guard " + inert(guard) +
                         " knows a checkpoint that this log does not extend: " + *why +
                         "; restore the newest copy of the store, or go on from here with "
                         "`muniment checkpoint --accept-fork REASON`"};
}

// What the guard knows of this log by its keys, and then of others that lay in its folder: a copy
// from before a rotation is an older copy first.
Result<std::optional<Fork>> find_fork_among(const std::vector<Guarded>& entries,
                                            const LogReader& log, const std::string& folder,
                                            const NoteKey& current, const std::string& guard) {
  Result<v1::StoreState> state = log.state();
  if (!state) return pass(state);
  const Guarded* other = nullptr;
  for (const Guarded& entry : entries) {
    const bool is_ours = entry.key == current || is_of_a_rotation(log, entry.key, current);
    if (!is_ours && entry.store == folder) other = &entry;
    if (!is_ours) continue;
    Result<std::optional<Fork>> fork = compare(entry, log, *state, guard);
    if (!fork || fork->has_value()) return fork;
  }
  if (other == nullptr) return std::nullopt;
  return Fork{*other, "the guard " + inert(guard) + " knows another log at " + inert(folder) +
                          ", signed by " + vkey_of(other->key) + ", and this one is signed by " +
                          vkey_of(current) +
                          ": store or key were exchanged; restore them, or go on from here with "
                          "`muniment checkpoint --accept-fork REASON`"};
}

// The newest checkpoint in the store: of the same history, by a key of this log.
Status check_own_newest(const StoredCheckpoint& newest, const Store& log,
                        const v1::StoreState& state, const LogKeys& keys) {
  const auto refuse = [&](const std::string& why) {
    return fail(ErrorCode::kCorrupt,
                "the checkpoint of " + counted(newest.size, "event") + " in store " +
                    inert(log.folder()) + " is not extended by its events: " + why +
                    "; run `muniment verify` and restore the store from a copy");
  };
  Result<Checkpoint> old = read_signed(newest.note, keys.current.verifier);
  if (!old) return refuse(old.error().message);
  Result<std::string> why = why_not_extended(log, state, *old);
  if (!why) return pass(why);
  return why->empty() ? Status() : refuse(*why);
}

bool is_signed(const std::string& note, const NoteKey& key) {
  return read_signed(note, key).has_value();
}

std::string sign(const Checkpoint& checkpoint, const LogKeys& keys) {
  Note note{.text = checkpoint_text(checkpoint), .signatures = {}};
  note.signatures.push_back(sign_note(note.text, keys.current.verifier, keys.current.secret));
  if (keys.next) {
    note.signatures.push_back(sign_note(note.text, keys.next->verifier, keys.next->secret));
  }
  return format_note(note);
}

// No entry but those of these keys speaks of this folder any longer.
Status forget_others(const std::string& folder, const std::vector<NoteKey>& keys, Guard& guard) {
  Result<std::vector<Guarded>> entries = read_guard(guard.folder());
  if (!entries) return pass(entries);
  for (Guarded& entry : *entries) {
    const bool is_ours = std::find(keys.begin(), keys.end(), entry.key) != keys.end();
    if (is_ours || entry.store != folder) continue;
    entry.store.clear();
    if (Status kept = guard.keep(entry); !kept) return kept;
  }
  return {};
}

Status keep(Store& log, const LogKeys& keys, const SignedCheckpoint& made, Guard& guard) {
  const std::string folder = place_of(log.folder());
  for (const LogKey* key : {keys.next ? &*keys.next : nullptr, &keys.current}) {
    if (key == nullptr) continue;
    Status kept = guard.keep({.key = key->verifier, .store = folder, .checkpoint = made.note});
    if (!kept) return kept;
  }
  return log.keep_signed(sequence_key(made.checkpoint.size), made.note);
}

}  // namespace

Result<std::optional<Fork>> find_fork(const LogReader& log, const std::string& store_folder,
                                      const NoteKey& current, const std::string& guard_folder) {
  Result<std::vector<Guarded>> entries = read_guard(guard_folder);
  if (!entries) return pass(entries);
  return find_fork_among(*entries, log, place_of(store_folder), current, guard_folder);
}

Result<SignedCheckpoint> sign_checkpoint(Store& log, const LogKeys& keys,
                                         const std::string& guard_folder, bool accept_fork) {
  Result<Guard> guard = Guard::hold(guard_folder);
  if (!guard) return pass(guard);
  if (!accept_fork) {
    Result<std::optional<Fork>> fork =
        find_fork(log, log.folder(), keys.current.verifier, guard_folder);
    if (!fork) return pass(fork);
    if (fork->has_value()) return fail(ErrorCode::kCorrupt, (*fork)->why);
  }
  Result<v1::StoreState> state = log.state();
  if (!state) return pass(state);
  Result<std::optional<StoredCheckpoint>> newest = newest_checkpoint(log);
  if (!newest) return pass(newest);
  SignedCheckpoint made;
  made.checkpoint = {.origin = state->origin(),
                     .size = state->size(),
                     .root = digest_from_bytes(state->root()),
                     .extensions = {}};
  made.is_new = !newest->has_value() || (*newest)->size != state->size();
  if (newest->has_value()) {
    if (Status own = check_own_newest(**newest, log, *state, keys); !own) return pass(own);
    const bool has_all = !keys.next || is_signed((*newest)->note, keys.next->verifier);
    made.is_new = made.is_new || !has_all;
  }
  made.note = made.is_new ? sign(made.checkpoint, keys) : (*newest)->note;
  if (accept_fork) {
    std::vector<NoteKey> own = {keys.current.verifier};
    if (keys.next) own.push_back(keys.next->verifier);
    Status forgotten = forget_others(place_of(log.folder()), own, *guard);
    if (!forgotten) return pass(forgotten);
  }
  if (Status kept = keep(log, keys, made, *guard); !kept) return pass(kept);
  if (keys.next) {
    if (Status adopted = adopt_next_key(log.folder(), *keys.next); !adopted) return pass(adopted);
  }
  return made;
}

Status introduce_to_guard(const std::string& store_folder, const NoteKey& key,
                          const std::string& guard_folder) {
  Result<Guard> guard = Guard::hold(guard_folder);
  if (!guard) return pass(guard);
  const std::string folder = place_of(store_folder);
  if (Status forgotten = forget_others(folder, {key}, *guard); !forgotten) return forgotten;
  Result<std::vector<Guarded>> entries = read_guard(guard_folder);
  if (!entries) return pass(entries);
  const auto same = [&](const Guarded& entry) { return entry.key == key; };
  if (std::any_of(entries->begin(), entries->end(), same)) return {};
  return guard->keep({.key = key, .store = folder, .checkpoint = {}});
}

}  // namespace muniment
