#include "recorder/world/engine/container_commands.h"

#include "recorder/core/text.h"

namespace muniment {
namespace {

constexpr std::size_t kTailBytes = 64U << 10U;
constexpr std::size_t kRawBytes = 8U << 10U;
constexpr std::size_t kShownTail = 400;
// A dump of anything that fits beside its backup ends sooner; without a limit one that hangs in the
// container would stay there for ever.
constexpr std::chrono::hours kLimit{12};

std::string words_of(ExecEnd end) {
  switch (end) {
    case ExecEnd::kExited:
      return "failed";
    case ExecEnd::kToolMissing:
      return "is not in the container; use an image that has it";
    case ExecEnd::kTimedOut:
      return "did not end in time and was ended; see what holds it up";
    case ExecEnd::kEngineLost:
      return "was lost with the engine: whether it ended is unknown; start the engine and run "
             "again";
    case ExecEnd::kContainerGone:
      return "was cut off: the container ended while it ran; start it and run again";
    case ExecEnd::kBrokenStream:
      return "broke off in the middle of its output; run again";
    case ExecEnd::kStalled:
      return "gave nothing for too long and was ended; see whether the container is paused or "
             "waits "
             "for a lock";
    case ExecEnd::kStillRunning:
      return "closed its output and did not end; see what it does in the container";
    case ExecEnd::kStopped:
      return "was stopped";
  }
  return "failed";
}

// The last line that says something.
std::string last_line(std::string_view tail) {
  while (!tail.empty() && (tail.back() == '\n' || tail.back() == ' ')) tail.remove_suffix(1);
  const std::size_t start = tail.rfind('\n');
  return inert_short(start == std::string_view::npos ? tail : tail.substr(start + 1), kShownTail);
}

}  // namespace

ContainerCommands::ContainerCommands(EngineControl& engine, const v1::ContainerTarget& container,
                                     Redactor& secrets, Progress& progress, Facts& facts,
                                     std::chrono::seconds stall)
    : engine_(engine),
      container_(container),
      secrets_(secrets),
      progress_(progress),
      facts_(facts),
      stall_(stall) {}

Status ContainerCommands::run(const Command& command) {
  RedactedTail tail(secrets_, kTailBytes);
  std::optional<Error> stream_error;
  raw_error_.clear();
  ExecStreams streams;
  streams.out = [&](std::string_view piece) {
    Status taken = command.out(piece);
    if (!taken) stream_error = taken.error();
    return taken;
  };
  streams.err = [&](std::string_view piece) -> Status {
    tail.write(piece);
    raw_error_.append(piece);
    if (raw_error_.size() > 2 * kRawBytes) raw_error_.erase(0, raw_error_.size() - kRawBytes);
    return {};
  };
  if (command.in) {
    streams.in = [&](char* room, std::size_t size) {
      Result<std::size_t> given = command.in(room, size);
      if (!given) stream_error = given.error();
      return given;
    };
  }
  streams.stop_requested = [&] { return progress_.stop_requested(); };
  ExecRequest request;
  request.container_id = container_.container_id();
  request.argv = command.argv;
  request.environment = command.environment;
  request.limit = kLimit;
  const Result<ExecResult> result = engine_.run(request, streams, stall_);
  if (!result) return std::unexpected(result.error());
  return settle(command, *result, tail.finish(), stream_error);
}

Status ContainerCommands::settle(const Command& command, const ExecResult& result, std::string tail,
                                 const std::optional<Error>& stream_error) {
  v1::Event event;
  v1::CommandExecuted& fact = *event.mutable_command_executed();
  for (const std::string& word : secrets_.redact_arguments(command.argv)) fact.add_argv(word);
  fact.set_container_id(container_.container_id());
  if (result.exit_code) fact.set_exit_status(*result.exit_code);
  // An event holds 64 KiB in all; the tail's end is what tells.
  const std::size_t most = 16U << 10U;
  if (tail.size() > most) tail.erase(0, tail.size() - most);
  fact.set_error_tail(tail);
  if (Status recorded = facts_.record(std::move(event)); !recorded) return recorded;
  if (result.ok() && !stream_error) return {};

  trouble_ = {.exit_status = result.exit_code, .error_tail = tail};
  if (stream_error && stream_error->code != ErrorCode::kInterrupted) {
    return std::unexpected(*stream_error);
  }
  const std::string orphan =
      result.orphan_possible ? "; it may still run in the container, look for it there" : "";
  if (result.end == ExecEnd::kStopped || progress_.stop_requested()) {
    return fail(ErrorCode::kInterrupted,
                command.argv.front() + " was stopped on request" + orphan + "; run it again");
  }
  std::string message = command.argv.front() + " in " + inert_short(container_.name(), 120) + " " +
                        words_of(result.end);
  if (result.end == ExecEnd::kExited && result.exit_code) {
    message += " with exit code " + std::to_string(*result.exit_code);
  }
  if (const std::string said = last_line(tail); !said.empty()) message += ": " + said;
  const bool lost = result.end == ExecEnd::kEngineLost;
  return fail(lost ? ErrorCode::kUnavailable : ErrorCode::kIo, message + orphan);
}

Result<std::string> ContainerCommands::ask(const std::vector<std::string>& argv,
                                           const Variables& environment, std::size_t most_bytes) {
  std::string out;
  const auto take = [&](std::string_view piece) -> Status {
    if (out.size() + piece.size() > most_bytes) {
      return fail(ErrorCode::kIo, argv.front() + " printed more than " +
                                      std::to_string(most_bytes) + " bytes where little was due");
    }
    out.append(piece);
    return {};
  };
  if (Status ran = run({argv, environment, take}); !ran) return pass(ran);
  return out;
}

Result<InspectedContainer> ContainerCommands::inspect() {
  Result<InspectedContainer> seen = engine_.reader().inspect(container_.container_id());
  if (!seen && seen.error().code == ErrorCode::kNotFound) {
    return fail(ErrorCode::kIo, "container " + inert_short(container_.name(), 120) +
                                    " was removed since it was resolved; rehearse again");
  }
  if (!seen) return seen;
  if (seen->observed.image_id() != container_.image_id()) {
    return fail(ErrorCode::kRefused, "container " + inert_short(container_.name(), 120) +
                                         " is not of the planned image; rehearse again");
  }
  teach_secrets(*seen, secrets_);
  return seen;
}

}  // namespace muniment
