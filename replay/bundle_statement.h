// The judge of the signed statement in a bundle.
#ifndef MUNIMENT_REPLAY_BUNDLE_STATEMENT_H_
#define MUNIMENT_REPLAY_BUNDLE_STATEMENT_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "muniment/v1/report.pb.h"
#include "recorder/core/tlog/note.h"

namespace muniment {

// `envelope` is what the bundle has, `made` the payload that its events give (statement.h): both or
// neither must be there. The envelope is spelled as it was signed, each of its signatures is a good
// one of the key that it names, one of `keys`, and what it says is what `made` says. Adds what is
// wrong to the report.
void judge_bundled_statement(std::optional<std::string_view> envelope,
                             const std::optional<std::string>& made, std::span<const NoteKey> keys,
                             v1::VerifyReport& report);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_BUNDLE_STATEMENT_H_
