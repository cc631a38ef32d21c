// The one error type of the project.
//
// Three kinds of bad news have three mechanisms: a refusal by the domain is data with a reason (see
// resolve.h, plan.h); an environment that fails is a Result; a broken program is a check (check.h).
#ifndef MUNIMENT_RECORDER_CORE_RESULT_H_
#define MUNIMENT_RECORDER_CORE_RESULT_H_

#include <expected>
#include <string>
#include <utility>

namespace muniment {

// Chosen by what the caller can do, not by where the failure arose.
enum class ErrorCode {
  kInvalid,      // the request or the manifest is wrong: change it (exit 2)
  kNotFound,     // nothing by that name (exit 7)
  kBusy,         // another process holds it: wait, or ask that process (exit 6)
  kCorrupt,      // stored data is not what it claims: stop and verify (exit 5)
  kIo,           // the environment failed: disk full, no permission (exit 1)
  kUnavailable,  // engine, forge or fleet cannot be reached (exit 8)
  kRefused,      // a rule forbids it (exit 3)
  kInterrupted,  // a person asked to stop (exit 130)
};

// `message` is lower case without a full stop; it names the object and the next thing to do.
struct Error {
  ErrorCode code = ErrorCode::kIo;
  std::string message;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

// Hands an error on from one Result to another: `if (!r) return pass(r);`
template <class T>
std::unexpected<Error> pass(Result<T>& failed) {
  return std::unexpected(std::move(failed.error()));
}

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_RESULT_H_
