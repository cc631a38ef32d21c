// Somebody who may change everything in a bundle and knows how one is made, but has not the key.
#ifndef MUNIMENT_TESTS_SUPPORT_BUNDLE_FORGER_H_
#define MUNIMENT_TESTS_SUPPORT_BUNDLE_FORGER_H_

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "replay/bundle_entries.h"
#include "replay/bundle_parts.h"
#include "replay/ustar.h"

namespace muniment {

class BundleForger {
 public:
  BundleForger() = default;
  explicit BundleForger(std::string_view bundle) {
    const Result<std::vector<UstarEntry>> read = parse_ustar(bundle);
    EXPECT_TRUE(read) << read.error().message;
    for (const UstarEntry& entry : *read) {
      entries.emplace_back(std::string(entry.name), std::string(entry.bytes));
    }
  }

  bool has(std::string_view name) const {
    return std::any_of(entries.begin(), entries.end(),
                       [&](const auto& entry) { return entry.first == name; });
  }

  std::string& at(std::string_view name) {
    for (auto& [entry, bytes] : entries) {
      if (entry == name) return bytes;
    }
    ADD_FAILURE() << "no entry " << name;
    return nothing_;
  }

  void remove(std::string_view name) {
    EXPECT_EQ(std::erase_if(entries, [&](const auto& entry) { return entry.first == name; }), 1U)
        << name;
  }

  // In front of the first entry whose name begins with `before`.
  void insert(std::string_view before, std::string name, std::string bytes) {
    auto place = std::find_if(entries.begin(), entries.end(),
                              [&](const auto& entry) { return entry.first.starts_with(before); });
    entries.insert(place, {std::move(name), std::move(bytes)});
  }

  void remove_event(std::uint64_t sequence) {
    remove(event_entry(sequence));
    remove(proof_entry(sequence));
  }

  // Makes index, blobs and reports agree with the events that are there.
  void make_consistent() {
    v1::BundleIndex index = *parse_bundle_index(at(kIndexEntry));
    index.clear_sequences();
    BundleEvents events;
    SparseParts parts;
    for (const auto& [name, bytes] : entries) {
      if (!name.starts_with("events/")) continue;
      const std::uint64_t sequence = std::stoull(name.substr(7));
      events[sequence] = {sequence, bytes, {}};
      EXPECT_TRUE(events[sequence].event.ParseFromString(bytes));
      parts.events.emplace(sequence, bytes);
    }
    for (const auto& [sequence, stored] : events) index.add_sequences(sequence);
    at(kIndexEntry) = format_bundle_index(index);
    const std::map<std::string, WantedBlob> wanted = wanted_blobs(events);
    std::erase_if(entries, [&](const auto& entry) {
      return entry.first.starts_with("blobs/") && !wanted.contains(as_key(sha256(entry.second)));
    });
    for (const auto& [name, bytes] : entries) {
      if (name.starts_with("blobs/")) parts.blobs.emplace(as_key(sha256(bytes)), bytes);
    }
    parts.checkpoint_note = at(kCheckpointEntry);
    parts.checkpoint =
        *parse_checkpoint(parts.checkpoint_note.substr(0, parts.checkpoint_note.find("\n\n") + 1));
    const Result<SparseLog> log = SparseLog::of(std::move(parts));
    EXPECT_TRUE(log);
    if (const Result<BundleReports> reports = render_reports(*log, index)) {
      at(kReportEntry) = reports->markdown;
      at(kReportJsonEntry) = reports->json;
    }
  }

  std::string bundle() const {
    std::string out;
    UstarWriter writer(out);
    for (const auto& [name, bytes] : entries) writer.add(name, bytes);
    writer.finish();
    return out;
  }

  std::vector<std::pair<std::string, std::string>> entries;

 private:
  static std::string as_key(const Digest& digest) { return std::string(as_bytes(digest)); }

  std::string nothing_;
};

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_BUNDLE_FORGER_H_
