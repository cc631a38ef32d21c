// Gates for tests: a policy, a statement, keys that nobody holds, and a question whose answer is
// "open" for as long as nothing of it is changed.
#ifndef MUNIMENT_TESTS_SUPPORT_GATE_SAMPLES_H_
#define MUNIMENT_TESTS_SUPPORT_GATE_SAMPLES_H_

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/approval.h"
#include "recorder/core/gate.h"
#include "recorder/core/gate_policy.h"
#include "tests/support/generator.h"

namespace muniment {

inline constexpr std::int64_t kGateSecond = 1'000'000'000;
inline constexpr std::int64_t kGateNow = 1'795'971'600 * kGateSecond;  // 2026-11-29T17:00:00Z
inline constexpr std::string_view kGateOrigin = "rs2000.example/muniment";
// The key of 32 bytes `a`.
inline constexpr std::string_view kGateLogKey =
    "rs2000.example/muniment+c8d0be0e+Aa8Go+MpFxTk81bBnJsVzRlR7G5mYqp3vgdUfyiTgzQd";

// "TYPE BASE64": a public key as a .pub file has it, of 32 bytes `byte`.
std::string sample_public_key(char byte, std::string_view type = "ssh-ed25519");

// An allowed_signers file: anna has key `a`, ben `b`, carla `c`.
std::string sample_signers();

// The worked examples of proto/GATES.md.
GatePolicy sample_policy();
ApprovalStatement sample_statement();

// Any that a manifest could state and an operator sign; values at the ends of their ranges too.
GatePolicy random_policy(Generator& draw);
ApprovalStatement random_statement(Generator& draw);

// What a byte of a text may be changed into: each bit turned, and what means something to readers.
std::string other_bytes(char byte);

// Module notes behind gate F3, rehearsed an hour ago, approved by anna half an hour ago: open.
// `guarded` is backup or exec.
GateQuestion open_question(const std::string& guarded = "backup");

// An approval of that question by a key, as anna's is; `submitted` is its place in the log.
GateApproval sample_approval(const GateQuestion& question, const std::string& principal,
                             std::uint64_t submitted);

// Makes the question consistent after its policy was changed: what the manifest states and what
// every approval was given under.
void restate(GateQuestion& question);

// One row of the tables: what is changed in the open question, and what comes of it.
struct GateCase {
  const char* name;  // of the test: letters and digits
  std::function<void(GateQuestion& question)> change;
  // Those that fail, with blanks between them; every other one is ok. None: the gate is open.
  const char* conditions = "";
  const char* detail = "";  // words in that of the first of them
  const char* guarded = "backup";

  bool open() const { return *conditions == '\0'; }
};
// For gtest, which would print bytes.
void PrintTo(const GateCase& row, std::ostream* out);

// Judges the changed question and holds the verdict against the row.
void judge_case(const GateCase& row);

// The condition of that name; fails the test, and is empty, where there is none.
v1::Condition condition_of(const GateJudgement& judgement, const std::string& name);

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_GATE_SAMPLES_H_
