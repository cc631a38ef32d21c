#include "replay/bundle.h"

#include "recorder/core/check.h"
#include "recorder/core/text.h"
#include "recorder/core/tlog/proof_file.h"
#include "recorder/log/key_codec.h"
#include "recorder/log/prover.h"
#include "replay/bundle_parts.h"
#include "replay/prove.h"
#include "replay/ustar.h"

namespace muniment {
namespace {

class Maker {
 public:
  Maker(const LogReader& log, const std::string& run_id, const BundleMaker& maker)
      : log_(log), maker_(maker), archive_(out_) {
    index_.set_format(std::string(kBundleFormat));
    index_.set_run_id(run_id);
    index_.set_program_version(maker.version);
  }

  Result<std::string> make() {
    for (const auto step : {&Maker::select, &Maker::take_checkpoint, &Maker::take_blobs,
                            &Maker::write_facts, &Maker::write_reports}) {
      if (Status status = (this->*step)(); !status) return pass(status);
    }
    archive_.finish();
    return std::move(out_);
  }

 private:
  using Visit = std::function<bool(const StoredEvent&)>;

  using Wanted = std::function<bool(const StoredEvent&)>;

  Visit keep_if(const Wanted& wanted, bool& added) {
    return [this, wanted, &added](const StoredEvent& stored) {
      if (wanted(stored)) added |= events_.emplace(stored.sequence, stored).second;
      return true;
    };
  }

  Status keep_type(std::uint32_t body, const Wanted& wanted, bool& added) {
    return read_indexed(log_, IndexTag::kByType, type_value(body), 0, Direction::kForward,
                        keep_if(wanted, added));
  }

  // Types of events that may belong here though they are neither of the run nor about it.
  static constexpr std::uint32_t kLinked[] = {
      v1::Event::kErasedFieldNumber, v1::Event::kApprovalConsumedFieldNumber,
      v1::Event::kApprovalRevokedFieldNumber, v1::Event::kGatePolicyRecordedFieldNumber};

  Status select() {
    const std::string& run_id = index_.run_id();
    Result<v1::RunState> run = run_state(log_, run_id);
    if (!run) return pass(run);
    bool added = false;
    const Wanted always = [](const StoredEvent&) { return true; };
    Status read = read_indexed(log_, IndexTag::kByRun, run_id, 0, Direction::kForward,
                               keep_if(always, added));
    if (!read) return read;
    if (read = keep_type(v1::Event::kKeyRotatedFieldNumber, always, added); !read) return read;
    if (read = keep_approvals(run->follows_run(), added); !read) return read;
    // What is said of an erasure may have been erased in turn.
    for (added = true; added;) {
      added = false;
      const BundleLinks links = links_of(events_, run_id);
      const Wanted is_linked = [&](const StoredEvent& stored) {
        return belongs_to_bundle(stored, run_id, links);
      };
      for (const std::uint32_t body : kLinked) {
        if (read = keep_type(body, is_linked, added); !read) return read;
      }
    }
    for (const auto& [sequence, stored] : events_) index_.add_sequences(sequence);
    return {};
  }

  Status keep_approvals(const std::string& rehearsal, bool& added) {
    if (rehearsal.empty()) return {};
    const BundleLinks links = links_of(events_, index_.run_id());
    return read_indexed(log_, IndexTag::kByRun, rehearsal, 0, Direction::kForward,
                        keep_if(
                            [&](const StoredEvent& stored) {
                              return belongs_to_bundle(stored, index_.run_id(), links);
                            },
                            added));
  }

  Status take_checkpoint() {
    Result<SignedHead> head = read_signed_head(log_);
    if (!head) return pass(head);
    const std::uint64_t last = events_.rbegin()->first;
    if (last >= head->checkpoint.size) {
      return fail(ErrorCode::kInvalid,
                  "event " + std::to_string(last) +
                      ", which belongs into the bundle, is not covered by the newest checkpoint, "
                      "of " +
                      std::to_string(head->checkpoint.size) +
                      " events; sign the log as it is with `muniment checkpoint`");
    }
    note_ = std::move(head->note);
    checkpoint_ = std::move(head->checkpoint);
    index_.set_origin(checkpoint_.origin);
    index_.set_checkpoint_size(checkpoint_.size);
    return {};
  }

  Status take_blobs() {
    for (const auto& [digest, wanted] : wanted_blobs(events_)) {
      Result<std::optional<std::string>> blob = read_blob(log_, digest);
      if (!blob) return pass(blob);
      if (blob->has_value()) {
        blobs_.emplace(digest, std::move(**blob));
      } else if (!wanted.may_be_gone) {
        return fail(ErrorCode::kCorrupt, "the blob " + to_hex(digest) + " that event " +
                                             std::to_string(wanted.sequence) + " names (" +
                                             wanted.field + ") is missing; run `muniment verify`");
      }
    }
    return {};
  }

  Status add(std::string_view name, std::string_view bytes) {
    archive_.add(name, bytes);
    if (out_.size() <= kMostBundleBytes) return {};
    return fail(ErrorCode::kInvalid, "run " + inert(index_.run_id()) +
                                         " does not fit into a bundle, which has at most " +
                                         std::to_string(kMostBundleBytes) +
                                         " bytes; use `muniment publish`, which has no such limit");
  }

  std::string keys() const {
    std::string out = vkey_of(maker_.key) + "\n";
    for (const auto& [sequence, stored] : events_) {
      if (!stored.event.has_key_rotated()) continue;
      for (const std::string& vkey :
           {stored.event.key_rotated().old_vkey(), stored.event.key_rotated().new_vkey()}) {
        if (out.find(vkey + "\n") == std::string::npos) out += vkey + "\n";
      }
    }
    return out;
  }

  Status write_facts() {
    if (Status status = add(kIndexEntry, format_bundle_index(index_)); !status) return status;
    if (Status status = add(kCheckpointEntry, note_); !status) return status;
    if (Status status = add(kKeysEntry, keys()); !status) return status;
    for (const auto& [sequence, stored] : events_) {
      if (Status status = add(event_entry(sequence), stored.bytes); !status) return status;
    }
    for (const auto& [sequence, stored] : events_) {
      Result<std::vector<Digest>> hashes = prove_inclusion(log_, sequence, checkpoint_.size);
      if (!hashes) return pass(hashes);
      const InclusionFile proof{
          .extra = {}, .index = sequence, .hashes = *std::move(hashes), .checkpoint = note_};
      if (Status status = add(proof_entry(sequence), format_inclusion(proof)); !status) {
        return status;
      }
    }
    for (const auto& [digest, bytes] : blobs_) {
      if (Status status = add(blob_entry(digest), bytes); !status) return status;
    }
    return {};
  }

  Status write_reports() {
    Result<std::optional<std::string>> statement = read_statement(log_, index_.run_id());
    if (!statement) return pass(statement);
    SparseParts parts{.checkpoint = checkpoint_,
                      .checkpoint_note = note_,
                      .events = {},
                      .blobs = std::move(blobs_),
                      .statements = {}};
    for (auto& [sequence, stored] : events_) {
      parts.events.emplace(sequence, std::move(stored.bytes));
    }
    if (statement->has_value()) {
      if (Status status = add(kStatementEntry, **statement); !status) return status;
      parts.statements.emplace(index_.run_id(), **statement);
    }
    Result<SparseLog> sparse = SparseLog::of(std::move(parts));
    if (!sparse) return pass(sparse);
    Result<BundleReports> reports = render_reports(*sparse, index_);
    if (!reports) return pass(reports);
    if (Status status = add(kReportEntry, reports->markdown); !status) return status;
    return add(kReportJsonEntry, reports->json);
  }

  const LogReader& log_;
  const BundleMaker& maker_;
  std::string out_;
  UstarWriter archive_;
  v1::BundleIndex index_;
  BundleEvents events_;
  Checkpoint checkpoint_;
  std::string note_;
  std::map<std::string, std::string> blobs_;
};

}  // namespace

Result<std::string> make_bundle(const LogReader& log, const std::string& run_id,
                                const BundleMaker& maker) {
  check(is_bundle_version(maker.version), "the version of a program is short and printable");
  return Maker(log, run_id, maker).make();
}

}  // namespace muniment
