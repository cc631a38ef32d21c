#include "replay/prove.h"

#include "recorder/core/text.h"
#include "recorder/core/tlog/note.h"
#include "recorder/core/tlog/tree_proof.h"
#include "recorder/log/prover.h"
#include "recorder/log/queries.h"

namespace muniment {
namespace {

// Whether it is of this log, and of no more than is there.
Status compare_with_log(const LogReader& log, const Checkpoint& checkpoint,
                        const std::string& what) {
  Result<v1::StoreState> state = log.state();
  if (!state) return pass(state);
  if (checkpoint.origin != state->origin()) {
    return fail(ErrorCode::kCorrupt, what + " is of the log " +
                                         inert_short(checkpoint.origin, 200) + ", this is " +
                                         inert_short(state->origin(), 200));
  }
  if (checkpoint.size > state->size()) {
    return fail(ErrorCode::kCorrupt, what + " is of " + counted(checkpoint.size, "event") +
                                         ", this log has " + std::to_string(state->size()) +
                                         ": it is an older copy, or its end is gone; run "
                                         "`muniment verify`");
  }
  Result<Digest> root = root_at(log, checkpoint.size);
  if (!root) return pass(root);
  if (*root != checkpoint.root) {
    return fail(ErrorCode::kCorrupt, what + " contradicts this log: the root of the first " +
                                         counted(checkpoint.size, "event") + " is " +
                                         to_hex(checkpoint.root) + " there and " + to_hex(*root) +
                                         " here; run `muniment verify`");
  }
  return {};
}

}  // namespace

Result<SignedHead> read_signed_head(const LogReader& log) {
  Result<std::optional<StoredCheckpoint>> newest = newest_checkpoint(log);
  if (!newest) return pass(newest);
  if (!newest->has_value()) {
    return fail(ErrorCode::kNotFound,
                "no checkpoint of this log is signed yet; sign it with `muniment checkpoint`");
  }
  Result<Checkpoint> checkpoint = checkpoint_in((*newest)->note);
  if (!checkpoint) {
    return fail(ErrorCode::kCorrupt, "the newest checkpoint cannot be read: " +
                                         checkpoint.error().message + "; run `muniment verify`");
  }
  if (Status same = compare_with_log(log, *checkpoint, "the newest checkpoint"); !same) {
    return pass(same);
  }
  return SignedHead{.checkpoint = *std::move(checkpoint), .note = std::move((*newest)->note)};
}

Result<InclusionFile> make_inclusion_file(const LogReader& log, std::uint64_t sequence) {
  Result<StoredEvent> stored = read_event(log, sequence);
  if (!stored) return pass(stored);
  Result<SignedHead> head = read_signed_head(log);
  if (!head) return pass(head);
  const std::uint64_t size = head->checkpoint.size;
  if (sequence >= size) {
    return fail(ErrorCode::kInvalid, "event " + std::to_string(sequence) +
                                         " is not covered by the newest checkpoint, of " +
                                         counted(size, "event") +
                                         "; sign the log as it is with `muniment checkpoint`");
  }
  Result<std::vector<Digest>> hashes = prove_inclusion(log, sequence, size);
  if (!hashes) return pass(hashes);
  const Status holds =
      verify_inclusion(leaf_hash(stored->bytes), sequence, size, *hashes, head->checkpoint.root);
  if (!holds) {
    return fail(ErrorCode::kCorrupt, "event " + std::to_string(sequence) +
                                         " is not what was signed: " + holds.error().message +
                                         "; run `muniment verify`");
  }
  return InclusionFile{.extra = std::move(stored->bytes),
                       .index = sequence,
                       .hashes = *std::move(hashes),
                       .checkpoint = std::move(head->note)};
}

Result<ConsistencyFile> make_consistency_file(const LogReader& log, std::string_view old_note) {
  Result<Checkpoint> old = checkpoint_in(old_note);
  if (!old) {
    return fail(ErrorCode::kInvalid, "this is no checkpoint: " + old.error().message);
  }
  if (Status same = compare_with_log(log, *old, "the older checkpoint"); !same) return pass(same);
  Result<SignedHead> head = read_signed_head(log);
  if (!head) return pass(head);
  if (old->size > head->checkpoint.size) {
    return fail(ErrorCode::kInvalid, "the newest checkpoint here is of " +
                                         counted(head->checkpoint.size, "event") +
                                         ", older than the one of " + counted(old->size, "event") +
                                         "; sign the log as it is with `muniment checkpoint`");
  }
  ConsistencyFile file{.old_size = old->size, .hashes = {}, .checkpoint = std::move(head->note)};
  if (old->size == 0) return file;
  Result<std::vector<Digest>> hashes = prove_consistency(log, old->size, head->checkpoint.size);
  if (!hashes) return pass(hashes);
  file.hashes = *std::move(hashes);
  return file;
}

}  // namespace muniment
