// Proofs as files.
//
// Inclusion: C2SP tlog-proof (https://c2sp.org/tlog-proof), extension .tlog-proof:
//
//   c2sp.org/tlog-proof@v1 LF [extra base64 LF] index N LF *( base64(hash) LF ) LF checkpoint
//
// `extra` is opaque to the standard and not covered by the proof; here it holds the event's stored
// bytes, whose leaf hash is what the proof is about, so that the file can be checked by itself.
//
// Consistency: the body of the standard's request for a cosignature
// (https://c2sp.org/tlog-witness):
//
//   old N LF *( base64(hash) LF ) LF checkpoint
#ifndef MUNIMENT_RECORDER_CORE_TLOG_PROOF_FILE_H_
#define MUNIMENT_RECORDER_CORE_TLOG_PROOF_FILE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/digest.h"
#include "recorder/core/result.h"

namespace muniment {

struct InclusionFile {
  std::optional<std::string> extra;  // decoded
  std::uint64_t index = 0;
  std::vector<Digest> hashes;  // at most 63
  std::string checkpoint;      // a signed note, as it is
};

struct ConsistencyFile {
  std::uint64_t old_size = 0;
  std::vector<Digest> hashes;  // at most 63
  std::string checkpoint;
};

// REQUIRES: a checkpoint that is not empty, at most 63 hashes.
std::string format_inclusion(const InclusionFile& file);
std::string format_consistency(const ConsistencyFile& file);

// Strict: the one spelling that is written above. The checkpoint is not looked into. kInvalid says
// which line is wrong.
Result<InclusionFile> parse_inclusion(std::string_view bytes);
Result<ConsistencyFile> parse_consistency(std::string_view bytes);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_TLOG_PROOF_FILE_H_
