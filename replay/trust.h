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
  std::vector<NoteKey> keys;          // empty: no signer is known
  std::optional<std::string> origin;  // absent: the name of the first key; without a key, any
  std::uint64_t min_size = 0;         // what the verifier has seen before
};

// The words of VerifyReport.verdict, worst first.
inline constexpr std::string_view kCannotRead = "cannot read";
inline constexpr std::string_view kTampered = "tampered";
inline constexpr std::string_view kTruncated = "truncated";
inline constexpr std::string_view kOlder = "older than what is trusted";
inline constexpr std::string_view kUnsigned = "unsigned where signed was expected";
inline constexpr std::string_view kUnknownSigner = "self-consistent, signer unknown";
inline constexpr std::string_view kIntact = "intact";

// Sets the report's verdict to this one unless it has a worse one already. REQUIRES: one of the
// words above. A report without a verdict has found nothing yet.
void worsen(v1::VerifyReport& report, std::string_view verdict);

// A report names at most so many findings; the verdict speaks for all of them.
inline constexpr int kMostFindings = 20;

// Adds a finding and worsens the verdict. Findings stay ordered by sequence, those without one
// last, in the order they came; of too many the first ones are kept. The report's
// first_bad_sequence follows the smallest sequence.
void add_finding(v1::VerifyReport& report, std::string_view verdict, std::string what,
                 std::string expected = {}, std::string found = {},
                 std::optional<std::uint64_t> sequence = {});

// What was not checked, or is good to know; a sentence is said once.
void add_caveat(v1::VerifyReport& report, std::string_view caveat);

// Takes over verdict, findings and caveats of a part of the check. `about` names the part in each
// finding: "the checkpoint of 12 events: …"; "" does not.
void add_part(v1::VerifyReport& report, const v1::VerifyReport& part, std::string_view about = "");

// The origin that a checkpoint must have; absent: any.
std::optional<std::string> expected_origin(const Trust& trust);

// Judges a signed note as the checkpoint of a log: its form, its signatures, its origin and its
// size. Adds what is wrong to the report, and sets its origin, signers and checkpoint_size. Absent:
// it cannot even be read as a checkpoint. What the verdicts mean here:
//
//   cannot read      it is no note, or its text is no checkpoint
//   tampered         a signature of a trusted key is wrong, or the log is another one
//   older            it speaks of fewer events than the verifier has seen
//   unsigned         keys are trusted, and no signature even claims to be of one of their names
//   signer unknown   no key is trusted; or a trusted name signed by a key that is not trusted
//
// Nothing is added when all is well; the caller makes that "intact" when the rest holds too. The
// checkpoint is returned whatever was found, so that the caller can say more about it.
std::optional<Checkpoint> judge_checkpoint(std::string_view note, const Trust& trust,
                                           v1::VerifyReport& report);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_TRUST_H_
