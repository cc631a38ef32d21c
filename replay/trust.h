// What a verifier brings along, and how a checkpoint is judged by it. Nothing here is ever taken
// from the data that is verified.
#ifndef MUNIMENT_REPLAY_TRUST_H_
#define MUNIMENT_REPLAY_TRUST_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "muniment/v1/report.pb.h"
#include "recorder/core/tlog/checkpoint.h"
#include "recorder/core/tlog/note.h"

namespace muniment {

struct Trust {
  std::vector<NoteKey> keys;           // empty: no signer is known
  std::optional<std::string> origin;   // absent: the name of the first key; without a key, any
  std::uint64_t min_size = 0;          // what the verifier has seen before
};

// The words of VerifyReport.verdict, worst first.
inline constexpr std::string_view kCannotRead = "cannot read";
inline constexpr std::string_view kTampered = "tampered";
inline constexpr std::string_view kTruncated = "truncated";
inline constexpr std::string_view kOlder = "older than what is trusted";
inline constexpr std::string_view kUnsigned = "unsigned where signed was expected";
inline constexpr std::string_view kUnknownSigner = "self-consistent, signer unknown";
inline constexpr std::string_view kIntact = "intact";

// Sets the report's verdict to this one unless it has a worse one already.
void worsen(v1::VerifyReport& report, std::string_view verdict);

// A finding; the report's first_bad_sequence follows the smallest one.
void add_finding(v1::VerifyReport& report, std::string_view verdict, std::string what,
                 std::string expected = {}, std::string found = {},
                 std::optional<std::uint64_t> sequence = {});

// Judges a signed note as the checkpoint of a log: its form, its signatures, its origin and its
// size. Adds what is wrong to the report, and sets its origin, signers and checkpoint_size. Absent:
// it cannot even be read as a checkpoint.
std::optional<Checkpoint> judge_checkpoint(std::string_view note, const Trust& trust,
                                           v1::VerifyReport& report);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_TRUST_H_
