#include "replay/bundle_entries.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "recorder/core/digest.h"
#include "replay/bundle.h"
#include "replay/bundle_parts.h"
#include "replay/trust.h"
#include "replay/ustar.h"

namespace muniment {
namespace {

constexpr std::size_t kMostIndexBytes = 16U << 20U;
constexpr std::string_view kBlobPrefix = "blobs/";

std::string shown(std::string_view name) {
  return std::string(name);
}

std::string bytes_of_hex(std::string_view hex) {
  const auto value = [](char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; };
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(value(hex[i]) * 16 + value(hex[i + 1]));
  }
  return out;
}

// Walks the entries in the one order that a bundle has.
class Walk {
 public:
  Walk(std::vector<UstarEntry> entries, v1::VerifyReport& report)
      : entries_(std::move(entries)), report_(report) {}

  std::optional<BundleEntries> read() {
    BundleEntries out;
    if (!read_index(out) || !take(kCheckpointEntry, out.checkpoint) ||
        !take(kKeysEntry, out.keys) || !read_events(out) || !read_blobs(out)) {
      return std::nullopt;
    }
    if (std::string_view bytes; next() == kStatementEntry && take(kStatementEntry, bytes)) {
      out.statement = bytes;
    }
    if (!take(kReportEntry, out.report) || !take(kReportJsonEntry, out.report_json)) {
      return std::nullopt;
    }
    if (at_ == entries_.size()) return out;
    add_finding(report_, kTampered, "an entry stands where the bundle should end", "nothing",
                shown(next()));
    return std::nullopt;
  }

 private:
  // The name of the next entry; "" at the end: no entry has that.
  std::string_view next() const {
    return at_ < entries_.size() ? entries_[at_].name : std::string_view();
  }

  bool take(std::string_view name, std::string_view& bytes) {
    if (next() == name) {
      bytes = entries_[at_++].bytes;
      return true;
    }
    const bool elsewhere = std::any_of(entries_.begin(), entries_.end(),
                                       [&](const UstarEntry& entry) { return entry.name == name; });
    add_finding(report_, elsewhere ? kTampered : kTruncated,
                elsewhere ? "an entry of the bundle is not in its place"
                          : "an entry of the bundle is missing",
                std::string(name), at_ < entries_.size() ? shown(next()) : "the end");
    return false;
  }

  bool read_index(BundleEntries& out) {
    std::string_view json;
    if (!take(kIndexEntry, json)) return false;
    Result<v1::BundleIndex> index =
        json.size() <= kMostIndexBytes
            ? parse_bundle_index(json)
            : fail(ErrorCode::kInvalid, "bundle.json is larger than one can be");
    if (!index) {
      add_finding(report_, kCannotRead, index.error().message);
      return false;
    }
    const auto& list = index->sequences();
    if (list.empty() ||
        std::adjacent_find(list.begin(), list.end(), std::greater_equal<>()) != list.end()) {
      add_finding(report_, kTampered, "bundle.json does not name events in ascending order");
      return false;
    }
    out.index = *std::move(index);
    return true;
  }

  bool read_events(BundleEntries& out) {
    for (const std::uint64_t sequence : out.index.sequences()) {
      if (!take(event_entry(sequence), out.events[sequence])) return false;
    }
    for (const std::uint64_t sequence : out.index.sequences()) {
      if (!take(proof_entry(sequence), out.proofs[sequence])) return false;
    }
    return true;
  }

  bool read_blobs(BundleEntries& out) {
    std::string_view before;
    while (next().starts_with(kBlobPrefix)) {
      const std::string_view name = next();
      const std::string_view hex = name.substr(kBlobPrefix.size());
      if (!is_hex_digest(hex) || hex <= before) {
        add_finding(report_, kTampered,
                    "an entry under blobs/ is not named as one, or not in order",
                    "a SHA-256 in hex, in ascending order", shown(name));
        return false;
      }
      before = hex;
      if (!take(name, out.blobs[bytes_of_hex(hex)])) return false;
    }
    return true;
  }

  std::vector<UstarEntry> entries_;
  v1::VerifyReport& report_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<BundleEntries> read_bundle_entries(std::string_view bytes, v1::VerifyReport& report) {
  if (bytes.size() > kMostBundleBytes) {
    add_finding(report, kCannotRead, "it is larger than a bundle can be",
                "at most " + std::to_string(kMostBundleBytes) + " bytes",
                std::to_string(bytes.size()) + " bytes");
    return std::nullopt;
  }
  Result<std::vector<UstarEntry>> entries = parse_ustar(bytes);
  if (!entries) {
    const ErrorCode code = entries.error().code;
    add_finding(report,
                code == ErrorCode::kInvalid    ? kCannotRead
                : code == ErrorCode::kNotFound ? kTruncated
                                               : kTampered,
                entries.error().message);
    return std::nullopt;
  }
  return Walk(*std::move(entries), report).read();
}

}  // namespace muniment
