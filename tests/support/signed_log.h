// A log in memory that is signed as the product signs one, with a key that is given.
#ifndef MUNIMENT_TESTS_SUPPORT_SIGNED_LOG_H_
#define MUNIMENT_TESTS_SUPPORT_SIGNED_LOG_H_

#include <memory>
#include <string>
#include <vector>

#include "recorder/core/check.h"
#include "recorder/core/tlog/checkpoint.h"
#include "recorder/core/tlog/dsse.h"
#include "recorder/core/tlog/note.h"
#include "recorder/log/key_codec.h"
#include "recorder/log/memory_log.h"
#include "replay/statement.h"
#include "replay/trust.h"
#include "tests/support/run_writer.h"

namespace muniment {

struct TestKey {
  SigningKey secret;
  NoteKey verifier;

  TestKey(const std::string& name, char seed)
      : secret(SigningKey::from_seed(std::string(kEd25519SeedBytes, seed))),
        verifier(note_key(name, secret.public_key())) {}
};

class SignedLog {
 public:
  static constexpr const char* kOrigin = "rs2000.example/muniment";

  explicit SignedLog(char seed = 'a', const std::string& origin = kOrigin)
      : log(make_memory_log(origin)), key(origin, seed) {}

  Trust trust() const {
    Trust out;
    out.keys = {key.verifier};
    return out;
  }

  // The signed note over the log as it is.
  std::string checkpoint(const std::vector<const TestKey*>& keys) const {
    const v1::StoreState state = *log->state();
    Note note{.text = checkpoint_text({.origin = state.origin(),
                                       .size = state.size(),
                                       .root = digest_from_bytes(state.root()),
                                       .extensions = {}}),
              .signatures = {}};
    for (const TestKey* one : keys) {
      note.signatures.push_back(sign_note(note.text, one->verifier, one->secret));
    }
    return format_note(note);
  }

  void sign(const std::vector<const TestKey*>& keys) const {
    const Status kept = log->keep_signed(sequence_key(log->state()->size()), checkpoint(keys));
    check(kept.has_value(), "a checkpoint can be kept");
  }
  void sign() const { sign({&key}); }

  std::string envelope(const std::string& run_id, const TestKey& by) const {
    const Result<std::optional<std::string>> made = make_statement(*log, run_id);
    check(made && *made, "the run has a statement");
    return format_dsse(
        sign_dsse(std::string(kStatementPayloadType), **made, by.verifier, by.secret));
  }

  void state(const std::string& run_id, const TestKey& by) const {
    const Status kept = log->keep_signed(run_id, envelope(run_id, by));
    check(kept.has_value(), "a statement can be kept");
  }
  void state(const std::string& run_id) const { state(run_id, key); }

  std::unique_ptr<Store> log;
  TestKey key;
};

// The smallest execution that has all that a bundle can hold: plan, artifact, notes of others.
inline std::string write_small_run(Store& log, unsigned number = 1) {
  LogScript script{log, 1'795'600'000'000'000'000 + number * 1'000'000'000,
                   log.state()->size() + 100'000 * number};
  RunWriter writer(script, sample_uuid(5000 + number, 2), v1::MODE_EXECUTION, "operator:anna");
  const auto add = [&](auto&& fill, std::vector<std::string> blobs = {}) {
    v1::Event event;
    fill(event);
    writer.add(event, std::move(blobs));
  };
  add([](v1::Event& event) {
    event.mutable_run_started()->set_purpose("backup");
    event.mutable_run_started()->set_backup_root("/srv/backup");
    event.mutable_run_started()->set_program_version("0.1.0");
  });
  const std::string plan = "muniment-plan/1\nkind backup\n";
  add(
      [&](v1::Event& event) {
        event.mutable_plan_sealed()->set_digest(to_hex(sha256(plan)));
        event.mutable_plan_sealed()->set_canonical_sha256(std::string(as_bytes(sha256(plan))));
      },
      {plan});
  add([&](v1::Event& event) {
    event.mutable_run_finished()->set_outcome(v1::RUN_OUTCOME_OK);
    event.mutable_run_finished()->set_event_count(3);
  });
  return writer.run_id();
}

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_SIGNED_LOG_H_
