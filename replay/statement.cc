#include "replay/statement.h"

#include <google/protobuf/util/json_util.h>

#include <map>
#include <vector>

#include "recorder/core/backup_class.h"
#include "recorder/core/digest.h"
#include "recorder/core/notation.h"
#include "recorder/core/run_state.h"
#include "recorder/core/text.h"
#include "recorder/log/queries.h"
#include "replay/json.h"

namespace muniment {
namespace {

constexpr std::size_t kSha1Digits = 40;
constexpr std::size_t kSha256Digits = 64;

// The run as its own events tell it, up to its end.
struct OwnStory {
  v1::RunState run;
  v1::RunStarted start;
  std::optional<v1::RunFinished> end;
  std::map<std::uint64_t, v1::BackupWritten> written;          // by sequence
  std::map<std::uint64_t, v1::ArtifactVerified> verified;      // by sequence
  std::map<std::string, std::vector<std::uint64_t>> consumed;  // approvals by module and gate
};

std::string gate_key(const std::string& module, const std::string& gate) {
  return module + '\0' + gate;
}

void take(OwnStory& story, const StoredEvent& stored) {
  const v1::Event& event = stored.event;
  if (event.has_run_started() && !has_started(story.run)) story.start = event.run_started();
  story.run = evolve(std::move(story.run), event, stored.sequence);
  if (event.has_run_finished()) story.end = event.run_finished();
  if (event.has_backup_written()) story.written[stored.sequence] = event.backup_written();
  if (event.has_artifact_verified()) story.verified[stored.sequence] = event.artifact_verified();
  if (event.has_approval_consumed()) {
    const v1::ApprovalConsumed& body = event.approval_consumed();
    auto& list = story.consumed[gate_key(event.module(), body.gate())];
    list.insert(list.end(), body.accepted_sequences().begin(), body.accepted_sequences().end());
  }
}

Result<OwnStory> read_story(const LogReader& log, const std::string& run_id) {
  OwnStory story;
  Status read = read_indexed(log, IndexTag::kByRun, run_id, 0, Direction::kForward,
                             [&](const StoredEvent& stored) {
                               if (stored.event.run_id() == run_id) take(story, stored);
                               return !story.end;
                             });
  if (!read) return pass(read);
  if (!has_started(story.run)) {
    return fail(ErrorCode::kNotFound, "no run " + inert(run_id) + " in this log");
  }
  return story;
}

template <class Enum>
std::string word(Enum value) {
  const auto* found = google::protobuf::GetEnumDescriptor<Enum>()->FindValueByNumber(value);
  return found == nullptr ? "unspecified" : enum_word(*found);
}

bool is_commit(std::string_view text) {
  return (text.size() == kSha1Digits || text.size() == kSha256Digits) &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// MODULE/RUN_ID/file where the artifact lies below the root.
std::string name_of(const std::string& path, const std::string& root) {
  const bool below = !root.empty() && path.starts_with(root + "/");
  return inert(below ? path.substr(root.size() + 1) : path);
}

void add_subject(v1::InTotoStatement& out, std::string name, const std::string& sha256,
                 const std::string& git_commit = {}) {
  v1::InTotoSubject& subject = *out.add_subject();
  subject.set_name(std::move(name));
  subject.mutable_digest()->set_sha256(sha256);
  subject.mutable_digest()->set_git_commit(git_commit);
}

void add_artifact(const OwnStory& story, const v1::ArtifactState& state, v1::InTotoStatement& out) {
  v1::StatedArtifact& row = *out.mutable_predicate()->add_artifacts();
  row.set_module(state.module());
  row.set_path(name_of(state.path(), story.run.backup_root()));
  row.set_size_bytes(state.size_bytes());
  row.set_sha256(to_hex(state.sha256()));
  row.set_file_mode(octal_mode(state.mode()));
  if (const auto check = story.verified.find(state.verified_sequence());
      state.has_verified_sequence() && check != story.verified.end() &&
      check->second.verdict() == v1::VERDICT_OK) {
    row.set_verified_by(check->second.method());
  }
  const v1::BackupWritten& written = story.written.at(state.sequence());
  if (!written.content_sha256().empty()) {
    row.set_content_bytes(written.content_bytes());
    row.set_content_sha256(to_hex(written.content_sha256()));
  }
  add_subject(out, row.path(), row.sha256());
}

void add_gates(const OwnStory& story, v1::RunPredicate& out) {
  for (const v1::GateState& gate : story.run.gates()) {
    if (!gate.open()) continue;
    v1::StatedGate& row = *out.add_gates();
    row.set_module(gate.module());
    row.set_gate(gate.gate());
    row.set_evaluated_sequence(gate.sequence());
    const auto consumed = story.consumed.find(gate_key(gate.module(), gate.gate()));
    if (consumed == story.consumed.end()) continue;
    for (const std::uint64_t sequence : consumed->second) row.add_approval_sequences(sequence);
  }
}

void add_run(const OwnStory& story, const std::string& origin, v1::RunPredicate& out) {
  const v1::RunState& run = story.run;
  out.set_run_id(run.run_id());
  out.set_purpose(run.purpose());
  out.set_mode(word(run.mode()));
  out.set_outcome(word(run.outcome()));
  *out.mutable_started_at() = run.started_at();
  *out.mutable_finished_at() = run.finished_at();
  out.mutable_log()->set_origin(origin);
  out.mutable_log()->set_first_sequence(run.first_sequence());
  out.mutable_log()->set_last_sequence(run.last_sequence());
  out.mutable_log()->set_event_count(run.event_count());
  out.set_host_name(run.host());
  out.mutable_program()->set_version(run.program_version());
  out.mutable_program()->set_sha256(to_hex(story.start.program_sha256()));
  out.set_plan_digest(run.plan_digest());
  out.set_follows_run(run.follows_run());
  for (const v1::ModuleState& module : run.modules()) {
    if (module.status() != "resolved") continue;
    v1::StatedModule& row = *out.add_modules();
    row.set_module(module.module());
    row.set_backup_class(class_word(module.backup_class()));
  }
  add_gates(story, out);
}

v1::InTotoStatement statement_of(const OwnStory& story, const std::string& origin) {
  v1::InTotoStatement out;
  out.set_type(std::string(kStatementType));
  out.set_predicate_type(std::string(kPredicateType));
  add_run(story, origin, *out.mutable_predicate());
  for (const v1::ArtifactState& artifact : story.run.artifacts()) {
    if (artifact.status() == "committed") add_artifact(story, artifact, out);
  }
  add_subject(out, "plan", story.run.plan_digest());
  const v1::ReleaseRoot& root = story.start.release_root();
  if (is_commit(root.commit())) {
    v1::StatedRelease& release = *out.mutable_predicate()->mutable_release();
    release.set_git_commit(root.commit());
    if (root.has_clean()) release.set_clean(root.clean());
    add_subject(out, "release", "", root.commit());
  }
  return out;
}

}  // namespace

Result<std::optional<std::string>> make_statement(const LogReader& log, const std::string& run_id) {
  Result<OwnStory> story = read_story(log, run_id);
  if (!story) return pass(story);
  const v1::RunState& run = story->run;
  if (run.mode() != v1::MODE_EXECUTION || !story->end || run.plan_digest().empty()) {
    return std::nullopt;
  }
  if (run.event_count() != story->end->event_count()) {
    return fail(ErrorCode::kCorrupt, "run " + inert(run_id) + " says that it has " +
                                         std::to_string(story->end->event_count()) +
                                         " events, found are " + std::to_string(run.event_count()) +
                                         "; run `muniment verify`");
  }
  Result<v1::StoreState> state = log.state();
  if (!state) return pass(state);
  std::string json;
  const auto printed =
      google::protobuf::util::MessageToJsonString(statement_of(*story, state->origin()), &json);
  if (!printed.ok()) {
    return fail(ErrorCode::kCorrupt,
                "the events of run " + inert(run_id) + " make no statement: " + printed.ToString());
  }
  return json;
}

Result<v1::InTotoStatement> parse_statement(std::string_view payload) {
  v1::InTotoStatement out;
  const auto parsed = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(payload.data(), payload.size()), &out);
  if (!parsed.ok()) {
    return fail(ErrorCode::kInvalid,
                "the payload is no statement that is known here: " + inert(parsed.ToString()));
  }
  if (out.type() != kStatementType || out.predicate_type() != kPredicateType) {
    return fail(ErrorCode::kInvalid, "the payload is a " + inert(out.type()) + " with " +
                                         inert(out.predicate_type()) + ", expected " +
                                         std::string(kStatementType) + " with " +
                                         std::string(kPredicateType));
  }
  return out;
}

}  // namespace muniment
