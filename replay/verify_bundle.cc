#include "replay/verify_bundle.h"

#include <algorithm>
#include <set>
#include <utility>

#include "recorder/core/text.h"
#include "recorder/core/tlog/proof_file.h"
#include "recorder/core/tlog/tree_proof.h"
#include "replay/bundle.h"
#include "replay/bundle_entries.h"
#include "replay/bundle_parts.h"
#include "replay/bundle_statement.h"
#include "replay/statement.h"

namespace muniment {
namespace {

constexpr std::size_t kShown = 300;
constexpr std::size_t kMostKeys = 1000;

// Foreign text of a length that can be shown; whoever shows it makes it inert.
std::string cut(std::string_view foreign) {
  return std::string(foreign.substr(0, kShown));
}

class Judge {
 public:
  Judge(const BundleEntries& entries, const Trust& trust, v1::VerifyReport& report)
      : in_(entries), trust_(trust), report_(report), run_id_(entries.index.run_id()) {}

  void judge() {
    if (!take_checkpoint()) return;
    take_keys();
    if (!check_events()) {
      report_.add_caveats("what the events should add up to was not checked");
      return;
    }
    check_signers();
    check_blobs();
    if (!check_run() || !fill_log()) return;
    check_statement();
    check_reports();
  }

 private:
  bool take_checkpoint() {
    std::optional<Checkpoint> checkpoint = judge_checkpoint(in_.checkpoint, trust_, report_);
    if (!checkpoint) return false;
    checkpoint_ = *std::move(checkpoint);
    report_.set_root_hash(std::string(as_bytes(checkpoint_.root)));
    if (in_.index.origin() != checkpoint_.origin) {
      add_finding(report_, kTampered, "bundle.json names another log than the checkpoint",
                  cut(checkpoint_.origin), cut(in_.index.origin()));
    }
    if (in_.index.checkpoint_size() != checkpoint_.size) {
      add_finding(report_, kTampered, "bundle.json names another size than the checkpoint",
                  counted(checkpoint_.size, "event"),
                  counted(in_.index.checkpoint_size(), "event"));
    }
    return true;
  }

  // The keys that the bundle names, each once, spelled as they must be.
  void take_keys() {
    std::string_view rest = in_.keys;
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      const std::string_view line = rest.substr(0, end);
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
      Result<NoteKey> key = parse_vkey(line);
      if (!key || end == std::string_view::npos || vkey_of(*key) != line || is_among(*key, keys_)) {
        add_finding(report_, kTampered,
                    "a line of the entry vkey is no verifier key, or is there twice", "NAME+ID+KEY",
                    cut(line));
        return;
      }
      keys_.push_back(*std::move(key));
      if (keys_.size() <= kMostKeys) continue;
      return add_finding(report_, kCannotRead, "the entry vkey has more keys than a log can have");
    }
  }

  bool check_events() {
    const int before = report_.findings_size();
    for (const auto& [sequence, bytes] : in_.events) check_event(sequence, bytes);
    report_.set_events(in_.events.size());
    if (report_.findings_size() != before) return false;
    const BundleLinks links = links_of(events_, run_id_);
    for (const auto& [sequence, stored] : events_) {
      if (belongs_to_bundle(stored, run_id_, links)) continue;
      add_finding(report_, kTampered, "the event does not belong into this bundle",
                  "an event of run " + cut(run_id_) + ", or about it",
                  "one of run " + cut(stored.event.run_id()), sequence);
    }
    return true;
  }

  void check_event(std::uint64_t sequence, std::string_view bytes) {
    const auto bad = [&](std::string what, std::string expected = {}, std::string found = {}) {
      add_finding(report_, kTampered, std::move(what), std::move(expected), std::move(found),
                  sequence);
    };
    const Result<InclusionFile> proof = parse_inclusion(in_.proofs.at(sequence));
    if (!proof) return bad("the event's proof cannot be read: " + proof.error().message);
    if (proof->extra || proof->index != sequence) {
      return bad("the event's proof is about another event", "of index " + std::to_string(sequence),
                 "of index " + std::to_string(proof->index));
    }
    if (proof->checkpoint != in_.checkpoint) {
      return bad("the event's proof has another checkpoint than the bundle");
    }
    const Status included = verify_inclusion(leaf_hash(bytes), sequence, checkpoint_.size,
                                             proof->hashes, checkpoint_.root);
    if (!included) return bad("the event is not in the log: " + included.error().message);
    StoredEvent stored{sequence, std::string(bytes), {}};
    if (bytes.size() > kMaxEventBytes || !stored.event.ParseFromString(stored.bytes)) {
      return bad("the event is in the log and cannot be read");
    }
    events_.emplace(sequence, std::move(stored));
  }

  // Who may have signed what the bundle holds beside the checkpoint.
  void check_signers() {
    const Result<Note> note = parse_note(in_.checkpoint);
    const std::vector<NoteKey>& known = trust_.keys.empty() ? keys_ : trust_.keys;
    const Result<std::vector<NoteKey>> signers =
        note ? signers_of(*note, known) : std::unexpected(note.error());
    if (signers) signers_ = *signers;
    if (trust_.keys.empty() && signers_.empty()) {
      add_finding(report_, signers ? kUnsigned : kTampered,
                  signers ? "the checkpoint is not signed by a key that the bundle names"
                          : "a signature of the checkpoint is wrong: " + signers.error().message);
    }
    for (const NoteKey& key : signers_) {
      if (key.name == checkpoint_.origin && !is_among(key, keys_)) {
        add_finding(report_, kTampered,
                    "the entry vkey does not name a key that signed the checkpoint", vkey_of(key),
                    vkeys_of(keys_));
      }
    }
    for (const NoteKey& key : keys_) {
      if (!is_among(key, signers_) && !was_rotated(key) && note &&
          signers_of(*note, std::span(&key, 1)).value_or(std::vector<NoteKey>()).empty()) {
        add_finding(report_, kTampered, "the entry vkey names a key that signed nothing here",
                    "keys of the checkpoint, and of key_rotated events", vkey_of(key));
      }
    }
  }

  bool was_rotated(const NoteKey& key) const {
    const std::string vkey = vkey_of(key);
    return std::any_of(events_.begin(), events_.end(), [&](const auto& row) {
      const v1::Event& event = row.second.event;
      return event.has_key_rotated() &&
             (event.key_rotated().old_vkey() == vkey || event.key_rotated().new_vkey() == vkey);
    });
  }

  void check_blobs() {
    report_.set_blobs(in_.blobs.size());
    const std::map<std::string, WantedBlob> wanted = wanted_blobs(events_);
    for (const auto& [digest, bytes] : in_.blobs) {
      const auto place = wanted.find(digest);
      if (place == wanted.end()) {
        add_finding(report_, kTampered, "no event names the blob", "nothing", to_hex(digest));
      } else if (const Digest found = sha256(bytes); as_bytes(found) != digest) {
        add_finding(report_, kTampered, "a blob is not what its name says", to_hex(digest),
                    to_hex(found), place->second.sequence);
      }
    }
    for (const auto& [digest, blob] : wanted) {
      if (blob.may_be_gone || in_.blobs.contains(digest)) continue;
      add_finding(report_, kTruncated,
                  "the blob that the event names in " + blob.field + " is missing", to_hex(digest),
                  "nothing, and no event says that it was erased", blob.sequence);
    }
  }

  // How many events the run has by its own word, or by that of whoever found it dead, and how many
  // of those are here.
  struct Count {
    std::optional<std::uint64_t> expected;
    std::uint64_t found = 0;
    bool started = false;
  };

  Count count_own() {
    Count count;
    std::optional<Count> found_dead;
    for (const auto& [sequence, stored] : events_) {
      const v1::Event& event = stored.event;
      if (event.about_run() == run_id_ && event.has_run_abandoned() && !found_dead) {
        found_dead = {event.run_abandoned().event_count(), count.found, count.started};
      }
      if (event.run_id() != run_id_) continue;
      ++count.found;
      count.started = count.started || event.has_run_started();
      if (!event.has_run_finished()) continue;
      count.expected = event.run_finished().event_count();
      end_ = sequence;
      return count;
    }
    return found_dead.value_or(count);
  }

  // Whether there is a run to speak of; adds a finding where not all of it is here.
  bool check_run() {
    const auto [expected, own, started] = count_own();
    report_.set_runs(started ? 1 : 0);
    report_.add_caveats(
        "a bundle cannot show that nothing is missing which other runs recorded about this one");
    if (!started) {
      add_finding(report_, kTruncated, "the event that starts run " + cut(run_id_) + " is missing");
      return false;
    }
    if (!expected) {
      report_.add_caveats("the run was not over: nothing says how many events it has");
    } else if (own != *expected) {
      add_finding(report_, own < *expected ? kTruncated : kTampered,
                  "the bundle has not the events that the run says it has",
                  counted(*expected, "event"), counted(own, "event"));
    }
    return true;
  }

  bool fill_log() {
    SparseParts parts{.checkpoint = checkpoint_,
                      .checkpoint_note = std::string(in_.checkpoint),
                      .events = {},
                      .blobs = {},
                      .statements = {}};
    for (const auto& [sequence, stored] : events_) parts.events.emplace(sequence, stored.bytes);
    for (const auto& [digest, bytes] : in_.blobs) parts.blobs.emplace(digest, bytes);
    if (in_.statement) parts.statements.emplace(run_id_, *in_.statement);
    Result<SparseLog> log = SparseLog::of(std::move(parts));
    if (!log) {
      add_finding(report_, kTampered, log.error().message);
      return false;
    }
    log_ = *std::move(log);
    return true;
  }

  // Trusted keys, and those that the log says they followed: each only for what ended before it was
  // given up.
  std::vector<NoteKey> statement_keys() const {
    std::vector<NoteKey> out;
    for (const NoteKey& key : trust_.keys.empty() ? signers_ : trust_.keys) {
      if (key.name == checkpoint_.origin && key.type == kNoteEd25519) out.push_back(key);
    }
    for (auto row = events_.rbegin(); row != events_.rend(); ++row) {
      if (!row->second.event.has_key_rotated() || !end_ || *end_ >= row->first) continue;
      const v1::KeyRotated& body = row->second.event.key_rotated();
      Result<NoteKey> before = parse_vkey(body.old_vkey());
      const Result<NoteKey> after = parse_vkey(body.new_vkey());
      if (!before || !after || !is_among(*after, out) || is_among(*before, out)) continue;
      if (before->name == checkpoint_.origin) out.push_back(*std::move(before));
    }
    return out;
  }

  void check_statement() {
    Result<std::optional<std::string>> made = make_statement(*log_, run_id_);
    if (!made) {
      return add_finding(report_, kTampered,
                         "the events give no statement: " + made.error().message);
    }
    judge_bundled_statement(in_.statement, *made, statement_keys(), report_);
  }

  void check_reports() {
    const Result<BundleReports> reports = render_reports(*log_, in_.index);
    if (!reports) {
      return add_finding(report_, kTampered,
                         "the events give no report: " + reports.error().message);
    }
    const auto compare = [&](std::string_view name, std::string_view found,
                             std::string_view expected) {
      if (found == expected) return;
      const auto differ =
          std::mismatch(found.begin(), found.end(), expected.begin(), expected.end());
      const auto at = static_cast<std::size_t>(differ.first - found.begin());
      add_finding(report_, kTampered,
                  std::string(name) +
                      " is not what this program makes of the events (the bundle "
                      "was made by muniment " +
                      in_.index.program_version() + ": if that is another version, check with it)",
                  "from byte " + std::to_string(at) + ": " + cut(expected.substr(at, 60)),
                  cut(found.substr(at, 60)));
    };
    compare(kReportEntry, in_.report, reports->markdown);
    compare(kReportJsonEntry, in_.report_json, reports->json);
  }

  const BundleEntries& in_;
  const Trust& trust_;
  v1::VerifyReport& report_;
  const std::string& run_id_;
  Checkpoint checkpoint_;
  std::vector<NoteKey> keys_;     // that the bundle names
  std::vector<NoteKey> signers_;  // of the checkpoint
  BundleEvents events_;           // proven
  std::optional<std::uint64_t> end_;
  std::optional<SparseLog> log_;
};

}  // namespace

bool looks_like_bundle(std::string_view bytes) {
  return bytes.starts_with(kIndexEntry) &&
         bytes.substr(kIndexEntry.size(), 1) == std::string_view("\0", 1);
}

v1::VerifyReport verify_bundle(std::string_view bytes, const Trust& trust) {
  v1::VerifyReport report;
  report.set_what("bundle");
  if (const std::optional<BundleEntries> entries = read_bundle_entries(bytes, report)) {
    Judge(*entries, trust, report).judge();
  }
  if (report.verdict().empty()) report.set_verdict(std::string(kIntact));
  return report;
}

}  // namespace muniment
