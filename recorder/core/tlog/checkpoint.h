// The statement "this log has N events and this root": C2SP tlog-checkpoint v1.0.0,
// https://c2sp.org/tlog-checkpoint. It is the text of a signed note.
//
//   origin LF size in decimal LF base64(root) LF *( extension LF )
#ifndef MUNIMENT_RECORDER_CORE_TLOG_CHECKPOINT_H_
#define MUNIMENT_RECORDER_CORE_TLOG_CHECKPOINT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/digest.h"
#include "recorder/core/result.h"

namespace muniment {

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Digest root{};                        // of size 0: SHA-256 of nothing
  std::vector<std::string> extensions;  // lines that are not empty; opaque here

  bool operator==(const Checkpoint&) const = default;
};

// The text of the note. REQUIRES: an origin and extensions that are lines: not empty, without LF.
std::string checkpoint_text(const Checkpoint& checkpoint);

// Strict: no leading zero, a root of exactly 32 bytes whose base64 has no other spelling, no empty
// line; of size 0 the root is that of the empty tree. kInvalid says which line is wrong.
Result<Checkpoint> parse_checkpoint(std::string_view text);

// The checkpoint that a signed note holds; whose signatures those are is not looked at. kInvalid:
// it is no note, or its text no checkpoint.
Result<Checkpoint> checkpoint_in(std::string_view note);

// "412" and nothing else that means 412: no sign, no leading zero, at most 2^63 - 1 (as Go's
// readers want it). kInvalid otherwise; `what` is named in the message.
Result<std::uint64_t> parse_decimal(std::string_view text, std::string_view what);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_TLOG_CHECKPOINT_H_
