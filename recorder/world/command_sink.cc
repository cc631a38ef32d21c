#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "recorder/core/digest.h"
#include "recorder/core/notation.h"
#include "recorder/core/timestamp.h"
#include "recorder/world/command_process.h"
#include "recorder/world/sinks.h"

namespace muniment {
namespace {

v1::Event to_fact(const v1::HostCommand& command, const CommandEnd& end) {
  v1::Event event;
  v1::CommandExecuted& fact = *event.mutable_command_executed();
  *fact.mutable_argv() = command.argv();
  fact.set_working_folder(command.working_folder());
  *fact.mutable_environment_names() = command.environment_names();
  if (end.exit_status) fact.set_exit_status(*end.exit_status);
  *fact.mutable_duration() = duration_of(end.duration.count());
  fact.set_stdout_bytes(end.out.bytes);
  fact.set_stderr_bytes(end.err.bytes);
  fact.set_stdout_sha256(std::string(as_bytes(end.out.sha256)));
  fact.set_stderr_sha256(std::string(as_bytes(end.err.sha256)));
  fact.set_stdout_tail(end.out.tail);
  fact.set_error_tail(end.err.tail);
  fact.set_timed_out(end.timed_out);
  fact.set_interrupted(end.interrupted);
  fact.set_transcript_cut_bytes(end.transcript_cut_bytes);
  if (!end.transcript.empty()) {
    fact.set_transcript_sha256(std::string(as_bytes(sha256(end.transcript))));
  }
  return event;
}

std::string failure_of(const CommandEnd& end, std::chrono::seconds timeout) {
  if (end.interrupted) return "a person asked to stop; its process group was ended";
  if (end.timed_out) {
    return "it did not end within " + duration_word(timeout) +
           "; its process group was killed, give it a longer --timeout or see why it hangs";
  }
  if (end.exit_status == 0) return {};
  const int status = end.exit_status.value_or(-1);
  if (status > 128) return "it was ended by signal " + std::to_string(status - 128);
  return "exit status " + std::to_string(status);
}

class CommandSink : public Sink {
 public:
  CommandSink(CommandLine line, const Redactor& redactor, std::function<bool()> stop,
              std::unique_ptr<Sink> others)
      : line_(std::move(line)),
        redactor_(redactor),
        stop_(std::move(stop)),
        others_(std::move(others)) {}

  Outcome perform(const v1::Step& step, Facts& facts) override {
    if (step.kind() != v1::STEP_KIND_COMMAND) return others_->perform(step, facts);
    Outcome outcome;
    try {
      if (const Status done = run(step, facts, outcome); !done) {
        outcome.result = v1::STEP_RESULT_FAILED;
        outcome.detail = redactor_.redact(done.error().message);
        outcome.interrupted = done.error().code == ErrorCode::kInterrupted;
      }
    } catch (const std::exception& e) {
      outcome.result = v1::STEP_RESULT_FAILED;
      outcome.detail = std::string("the step broke off: ") + e.what();
    }
    return outcome;
  }

 private:
  Status run(const v1::Step& step, Facts& facts, Outcome& outcome) {
    if (Status valid = validate_step(step); !valid) return valid;
    const v1::HostCommand& command = step.command();
    if (static_cast<std::size_t>(command.argv_size()) != line_.argv.size() ||
        command.timeout_seconds() != static_cast<std::uint64_t>(line_.timeout.count())) {
      return fail(ErrorCode::kInvalid, "the step is about another command than was given");
    }
    Result<CommandEnd> end = run_command(line_, command, redactor_, stop_);
    if (!end) return pass(end);
    std::vector<std::string> blobs;
    v1::Event fact = to_fact(command, *end);
    if (!end->transcript.empty()) blobs.push_back(std::move(end->transcript));
    outcome.exit_status = end->exit_status;
    outcome.error_tail = end->err.tail;
    outcome.interrupted = end->interrupted;
    outcome.detail = failure_of(*end, line_.timeout);
    if (Status kept = facts.record_with(std::move(fact), std::move(blobs)); !kept) return kept;
    outcome.result = outcome.detail.empty() ? v1::STEP_RESULT_APPLIED : v1::STEP_RESULT_FAILED;
    return {};
  }

  CommandLine line_;
  const Redactor& redactor_;
  std::function<bool()> stop_;
  std::unique_ptr<Sink> others_;
};

}  // namespace

std::unique_ptr<Sink> make_command_sink(CommandLine line, const Redactor& redactor,
                                        std::function<bool()> stop, std::unique_ptr<Sink> others) {
  return std::make_unique<CommandSink>(std::move(line), redactor, std::move(stop),
                                       std::move(others));
}

}  // namespace muniment
