#include "replay/audit_checkpoints.h"

#include <algorithm>
#include <utility>

#include "muniment/v1/event.pb.h"
#include "recorder/core/text.h"
#include "recorder/core/tlog/dsse.h"
#include "recorder/log/key_codec.h"
#include "recorder/log/queries.h"
#include "replay/statement.h"

namespace muniment {
namespace {

constexpr std::size_t kSizeKeyBytes = 8;
constexpr std::size_t kRunIdBytes = 36;

bool any_of(const std::vector<NoteKey>& keys, const std::vector<NoteKey>& wanted) {
  return std::any_of(wanted.begin(), wanted.end(),
                     [&](const NoteKey& key) { return is_among(key, keys); });
}

void expect_signature_of_old_key(std::string_view bytes, const KeyChange& change,
                                 v1::VerifyReport& report) {
  const Result<Note> note = parse_note(bytes);
  if (!note) return;  // a finding already
  const NoteKey keys[] = {change.old_key};
  const Result<std::vector<NoteKey>> signers = signers_of(*note, keys);
  if (signers && !signers->empty()) return;
  add_finding(report, kTampered,
              "the first checkpoint behind the change of key in event " +
                  std::to_string(change.sequence) + " is not signed by the old key",
              "a good signature of " + vkey_of(change.old_key), signers ? "none" : "a wrong one");
}

}  // namespace

SignedBy::SignedBy(const LogReader& log, const Trust& trust) : log_(&log), trust_(trust) {
  trust_.origin = expected_origin(trust);
  trust_.min_size = 0;
}

Result<SignedBy> SignedBy::read(const LogReader& log, const Trust& trust,
                                v1::VerifyReport& report) {
  SignedBy made(log, trust);
  std::vector<KeyChange> changes;
  Status read = read_indexed(
      log, IndexTag::kByType, type_value(v1::Event::kKeyRotatedFieldNumber), 0, Direction::kForward,
      [&](const StoredEvent& stored) {
        const v1::KeyRotated& body = stored.event.key_rotated();
        Result<NoteKey> old_key = parse_vkey(body.old_vkey());
        Result<NoteKey> new_key = parse_vkey(body.new_vkey());
        if (old_key && new_key) {
          changes.push_back({stored.sequence, *std::move(old_key), *std::move(new_key), 0});
        } else {
          add_finding(report, kTampered, "a change of key names no key", "two keys",
                      body.old_vkey() + " and " + body.new_vkey(), stored.sequence);
        }
        return true;
      });
  // An index that does not lead to events is the audit's to find.
  if (!read && read.error().code != ErrorCode::kCorrupt &&
      read.error().code != ErrorCode::kNotFound) {
    return pass(read);
  }
  if (trust.keys.empty()) return made;
  for (KeyChange& change : changes) {
    Result<std::optional<StoredCheckpoint>> over = checkpoint_over(log, change.sequence);
    if (!over) return pass(over);
    if (over->has_value()) change.first_signed = (*over)->size;
    made.add_change(std::move(change), report);
  }
  if (made.changes_.empty()) {
    made.keys_ = trust.keys;
  } else if (!any_of(made.keys_, trust.keys)) {
    add_finding(report, kUnknownSigner, "the log was never signed by a trusted key",
                vkeys_of(trust.keys), vkeys_of(made.keys_));
  }
  return made;
}

// A key that no checkpoint vouches for yet is not believed, unless it is trusted itself.
void SignedBy::add_change(KeyChange change, v1::VerifyReport& report) {
  if (changes_.empty()) {
    keys_.push_back(change.old_key);
  } else if (changes_.back().new_key != change.old_key) {
    add_finding(report, kTampered, "a change of key does not go on from the key before it",
                vkey_of(changes_.back().new_key), vkey_of(change.old_key), change.sequence);
  }
  if (change.first_signed != 0 || is_among(change.new_key, trust_.keys)) {
    keys_.push_back(change.new_key);
  }
  changes_.push_back(std::move(change));
}

std::vector<NoteKey> SignedBy::keys_at(std::uint64_t size) const {
  if (changes_.empty()) return trust_.keys;
  const auto later = std::find_if(changes_.begin(), changes_.end(),
                                  [&](const KeyChange& change) { return change.sequence >= size; });
  return {later == changes_.begin() ? later->old_key : std::prev(later)->new_key};
}

Status SignedBy::judge_rows(std::uint64_t first, std::uint64_t end, v1::VerifyReport& report,
                            std::vector<Claim>& claims) const {
  return log_->scan(Table::kCheckpoint, sequence_key(first), Direction::kForward,
                    [&](std::string_view key, std::string_view note) {
                      if (key.size() != kSizeKeyBytes) return key < sequence_key(end);
                      const std::uint64_t size = decode_sequence(key);
                      if (size >= end) return false;
                      v1::VerifyReport part;
                      Trust trust = trust_;
                      trust.keys = keys_at(size);
                      const std::optional<Checkpoint> checkpoint =
                          judge_checkpoint(note, trust, part);
                      for (const KeyChange& change : changes_) {
                        if (change.first_signed == size)
                          expect_signature_of_old_key(note, change, part);
                      }
                      if (checkpoint && checkpoint->size != size) {
                        add_finding(part, kTampered, "it lies under another size",
                                    counted(size, "event"), counted(checkpoint->size, "event"));
                      } else if (checkpoint) {
                        claims.push_back({size, checkpoint->root, "", part.findings().empty(), {}});
                      }
                      report.set_checkpoint_size(size);
                      *report.mutable_signers() = part.signers();
                      add_part(report, part, "the checkpoint of " + counted(size, "event"));
                      return true;
                    });
}

std::optional<Claim> SignedBy::judge_known(const KnownCheckpoint& known,
                                           v1::VerifyReport& report) const {
  v1::VerifyReport part;
  Trust trust = trust_;
  if (!keys_.empty()) trust.keys = keys_;
  const std::optional<Checkpoint> checkpoint = judge_checkpoint(known.note, trust, part);
  add_part(report, part, known.from);
  if (!checkpoint) return std::nullopt;
  return Claim{checkpoint->size,
               checkpoint->root,
               known.from,
               part.findings().empty(),
               {part.signers().begin(), part.signers().end()}};
}

Result<std::uint64_t> SignedBy::judge_statements(v1::VerifyReport& report) const {
  std::uint64_t rows = 0;
  Status scanned = log_->scan(Table::kCheckpoint, "", Direction::kForward,
                              [&](std::string_view key, std::string_view value) {
                                ++rows;
                                if (key.size() == kRunIdBytes) {
                                  judge_statement(key, value, report);
                                } else if (key.size() != kSizeKeyBytes) {
                                  add_finding(report, kTampered,
                                              "a row of the table checkpoint that nobody wrote",
                                              "nothing", to_hex(key));
                                }
                                return true;
                              });
  if (!scanned) return pass(scanned);
  return rows;
}

void SignedBy::judge_statement(std::string_view run_id, std::string_view bytes,
                               v1::VerifyReport& report) const {
  const std::string about = "the statement about run " + inert(run_id);
  const Result<DsseEnvelope> envelope = parse_dsse(bytes);
  if (!envelope) {
    return add_finding(report, kTampered, about + " is no envelope", "a DSSE envelope",
                       envelope.error().message);
  }
  if (keys_.empty()) {
    worsen(report, kUnknownSigner);
  } else if (signers_of(*envelope, keys_).empty()) {
    add_finding(report, kTampered, about + " is not signed by a key of this log",
                "a signature of " + vkeys_of(keys_), "none that is good");
  }
  const Result<v1::InTotoStatement> statement = parse_statement(envelope->payload);
  if (!statement || envelope->payload_type != kStatementPayloadType) {
    return add_finding(report, kTampered, about + " states nothing that is known here",
                       std::string(kStatementPayloadType),
                       statement ? envelope->payload_type : statement.error().message);
  }
  const v1::RunPredicate& stated = statement->predicate();
  if (stated.run_id() != run_id) {
    add_finding(report, kTampered, about + " is about another run", std::string(run_id),
                stated.run_id());
  }
  if (trust_.origin && stated.log().origin() != *trust_.origin) {
    add_finding(report, kTampered, about + " is about a run of another log", *trust_.origin,
                stated.log().origin());
  }
  const Result<std::optional<std::string>> run = log_->get(Table::kRun, run_id);
  if (run && run->has_value()) return;
  add_finding(report, kTampered, about + " is about a run that the log does not have",
              std::string(run_id), "no such run");
}

}  // namespace muniment
