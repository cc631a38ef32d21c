// What the one who makes a bundle (bundle.h) and the one who judges it (verify_bundle.h) must see
// in the same way.
#ifndef MUNIMENT_REPLAY_BUNDLE_PARTS_H_
#define MUNIMENT_REPLAY_BUNDLE_PARTS_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "muniment/v1/bundle.pb.h"
#include "recorder/core/result.h"
#include "recorder/log/queries.h"
#include "replay/blob_refs.h"
#include "replay/sparse_log.h"

namespace muniment {

inline constexpr std::string_view kIndexEntry = "bundle.json";
inline constexpr std::string_view kCheckpointEntry = "checkpoint";
inline constexpr std::string_view kKeysEntry = "vkey";
inline constexpr std::string_view kStatementEntry = "statement.intoto.json";
inline constexpr std::string_view kReportEntry = "report.md";
inline constexpr std::string_view kReportJsonEntry = "report.json";
std::string event_entry(std::uint64_t sequence);
std::string proof_entry(std::uint64_t sequence);
std::string blob_entry(std::string_view sha256);

std::string format_bundle_index(const v1::BundleIndex& index);
// Strict: the one spelling, of a format and a program's version that can be. kInvalid otherwise.
Result<v1::BundleIndex> parse_bundle_index(std::string_view json);

// Whether a program's version may stand in a bundle: printable ASCII, at most 64 characters.
bool is_bundle_version(std::string_view version);

// By sequence.
using BundleEvents = std::map<std::uint64_t, StoredEvent>;

// What leads from the events of a bundle to others that belong there.
struct BundleLinks {
  std::set<std::string> commitments;  // 32 bytes each: of their erasable texts
  std::string follows_run;            // the rehearsal that the run executes; empty: none
  std::set<std::uint64_t> accepted;   // sequences of ApprovalAccepted
  std::set<std::uint64_t> cited;      // by the conditions of gates
};
BundleLinks links_of(const BundleEvents& events, std::string_view run_id);

// Whether an event belongs into the bundle of a run. `links`: of those that do.
bool belongs_to_bundle(const StoredEvent& stored, std::string_view run_id,
                       const BundleLinks& links);

// A blob that the events name.
struct WantedBlob {
  std::uint64_t sequence = 0;  // of the first event that names it
  std::string field;
  bool may_be_gone = false;  // only erasable texts, and only once an Erased is about them
};

// By SHA-256 (32 bytes).
std::map<std::string, WantedBlob> wanted_blobs(const BundleEvents& events);

struct BundleReports {
  std::string markdown;
  std::string json;
};

// From the bundle's own events alone, over the tree of its checkpoint. Errors: as make_evidence().
Result<BundleReports> render_reports(const SparseLog& log, const v1::BundleIndex& index);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_BUNDLE_PARTS_H_
