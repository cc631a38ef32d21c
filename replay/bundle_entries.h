// The entries of a bundle that is to be judged, found by their names in their places.
#ifndef MUNIMENT_REPLAY_BUNDLE_ENTRIES_H_
#define MUNIMENT_REPLAY_BUNDLE_ENTRIES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "muniment/v1/bundle.pb.h"
#include "muniment/v1/report.pb.h"

namespace muniment {

// Views into the bundle. Of their content only the index has been read.
struct BundleEntries {
  v1::BundleIndex index;
  std::string_view checkpoint;
  std::string_view keys;
  std::map<std::uint64_t, std::string_view> events;  // by sequence: those that the index names
  std::map<std::uint64_t, std::string_view> proofs;  // the same
  std::map<std::string, std::string_view> blobs;     // by the SHA-256 (32 bytes) in their names
  std::optional<std::string_view> statement;
  std::string_view report;
  std::string_view report_json;
};

// Each byte of the archive belongs to one of these entries, or is as it must be. Absent: it is not
// so, and a finding in the report says what is wrong.
std::optional<BundleEntries> read_bundle_entries(std::string_view bytes, v1::VerifyReport& report);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_BUNDLE_ENTRIES_H_
