// What is signed about a run: an in-toto Statement v1 whose predicate is v1::RunPredicate. Its
// schema, and which bytes each digest covers, is proto/README.md.
#ifndef MUNIMENT_REPLAY_STATEMENT_H_
#define MUNIMENT_REPLAY_STATEMENT_H_

#include <optional>
#include <string>
#include <string_view>

#include "muniment/v1/statement.pb.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"

namespace muniment {

inline constexpr std::string_view kStatementPayloadType = "application/vnd.in-toto+json";
inline constexpr std::string_view kStatementType = "https://in-toto.io/Statement/v1";
inline constexpr std::string_view kPredicateType = "urn:muniment:run:v1";

// The statement about an execution that has finished, as JSON in one line: the payload of the
// envelope. A function of the run's own events up to its RunFinished and of the log's origin: what
// is recorded about the run later changes nothing, so that whoever has the events can make the same
// statement. It claims what was done and holds no text that can be erased.
// Absent: nothing is to be stated (no execution, not finished, its plan was never sealed).
// kNotFound: no such run. kCorrupt: the run's events are not complete, or say what JSON cannot
// hold.
Result<std::optional<std::string>> make_statement(const LogReader& log, const std::string& run_id);

// The payload of an envelope as a message. Strict: kInvalid for what is no statement of this kind,
// or has a member that this program does not know.
Result<v1::InTotoStatement> parse_statement(std::string_view payload);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_STATEMENT_H_
