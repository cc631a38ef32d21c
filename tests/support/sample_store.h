// Sample events with the blobs that real ones have, for tests of whole stores.
#ifndef MUNIMENT_TESTS_SUPPORT_SAMPLE_STORE_H_
#define MUNIMENT_TESTS_SUPPORT_SAMPLE_STORE_H_

#include <string>
#include <vector>

#include "tests/support/sample_events.h"

namespace muniment {

inline constexpr const char* kSampleOrigin = "rs2000.example/muniment";

// As sample_entry(), and each run has a manifest and a plan, and each note its own text.
inline Entry sample_entry_with_blobs(std::uint64_t number) {
  v1::Event event = sample_event(number);
  Entry entry;
  const auto keep = [&](std::string blob) {
    const std::string digest(as_bytes(sha256(blob)));
    entry.blobs.push_back(std::move(blob));
    return digest;
  };
  const std::string run = event.run_id();
  v1::Actor& actor = *event.mutable_actor();
  actor.mutable_claimed()->set_commitment(keep(std::string(32, 's') + "operator:anna"));
  actor.mutable_user_name()->set_commitment(keep(std::string(32, 'u') + "anna"));
  if (event.has_run_started()) {
    event.mutable_run_started()->set_manifest_sha256(keep("# the manifest of run " + run));
  }
  if (number % kEventsPerRun == 38) {
    event.mutable_plan_sealed()->set_digest(to_hex(sha256(run)));
    event.mutable_plan_sealed()->set_canonical_sha256(keep("muniment-plan/1\n" + run + "\n"));
  }
  if (event.has_note_added()) {
    event.mutable_note_added()->mutable_text()->set_commitment(
        keep(std::string(32, 't') + "note " + std::to_string(number)));
  }
  entry.bytes = event.SerializeAsString();
  return entry;
}

inline std::vector<Entry> sample_entries_with_blobs(std::uint64_t first, std::uint64_t count) {
  std::vector<Entry> entries;
  for (std::uint64_t i = 0; i < count; ++i) entries.push_back(sample_entry_with_blobs(first + i));
  return entries;
}

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_SAMPLE_STORE_H_
