#include "recorder/world/engine/exec_end.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

#include "recorder/world/engine/exec_script.h"

namespace muniment {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// What docker, podman, sh and timeout say of a program that is not there or cannot be run.
bool names_a_missing_program(const std::string& said) {
  static constexpr std::array kWords = {"not found", "o such file or directory", "can't execute",
                                        "ermission denied", "OCI runtime"};
  return std::ranges::any_of(
      kWords, [&](const char* words) { return said.find(words) != std::string::npos; });
}

std::string exited_with(int code) {
  return "it exited with code " + std::to_string(code);
}

}  // namespace

ExecEnding::ExecEnding(EnginePost& http, EngineReader& reader, const EngineLimits& limits,
                       const ExecRequest& request, const v1::ContainerObserved& before,
                       std::string exec_id)
    : http_(http),
      reader_(reader),
      limits_(limits),
      request_(request),
      before_(before),
      prefix_("/v" + reader.facts().api_version()),
      exec_id_(std::move(exec_id)) {}

Result<ExecState> ExecEnding::state() {
  const std::string target = prefix_ + "/exec/" + exec_id_ + "/json";
  Result<HttpAnswer> answer = http_.get(target);
  if (!answer) return pass(answer);
  if (answer->status != 200) return std::unexpected(http_.refused("GET", target, *answer));
  return exec_state_from_json(answer->body);
}

Result<ExecState> ExecEnding::await_end() {
  const Clock::time_point until = Clock::now() + limits_.settle;
  milliseconds pause{5};
  for (;;) {
    Result<ExecState> now = state();
    if (!now || !now->running || Clock::now() >= until) return now;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, milliseconds(200));
  }
}

// Engines may say for a moment that a container runs which has been killed; and one that was
// started again since is another one, though its id is the same.
bool ExecEnding::container_is_gone() {
  const Clock::time_point until = Clock::now() + limits_.settle;
  milliseconds pause{20};
  for (;;) {
    const Result<InspectedContainer> now = reader_.inspect(request_.container_id);
    if (!now) return now.error().code == ErrorCode::kNotFound;
    const v1::ContainerObserved& observed = now->observed;
    if (observed.state() != "running" && observed.state() != "paused") return true;
    if (google::protobuf::util::TimeUtil::TimestampToNanoseconds(observed.started_at()) !=
        google::protobuf::util::TimeUtil::TimestampToNanoseconds(before_.started_at())) {
      return true;
    }
    if (Clock::now() >= until) return false;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, milliseconds(200));
  }
}

ExecResult ExecEnding::judge(StreamEnd end, const ExecPump& pump, Clock::duration ran) {
  switch (end) {
    case StreamEnd::kEnded:
      break;
    case StreamEnd::kCutShort:
      return broken(pump.pid(), "the stream ended inside a frame");
    case StreamEnd::kNoFrames:
      return end_it(ExecEnd::kBrokenStream, pump.pid(),
                    "the stream held no valid frame, or an error of the engine");
    case StreamEnd::kBroke:
      return broken(pump.pid(), "the connection to the engine broke");
    case StreamEnd::kSilent:
      return end_it(ExecEnd::kStalled, pump.pid(), "nothing came for longer than allowed");
    case StreamEnd::kStopped:
      return end_it(ExecEnd::kStopped, pump.pid(), "it was stopped on request");
    case StreamEnd::kRefused:
      return end_it(ExecEnd::kStopped, pump.pid(), "what takes or gives its bytes failed");
  }
  return judge_ended(pump, ran);
}

ExecResult ExecEnding::judge_ended(const ExecPump& pump, Clock::duration ran) {
  Result<ExecState> ended = await_end();
  if (!ended && ended.error().code == ErrorCode::kNotFound) {
    return lost(pump.pid(), "the engine does not know the command any more");
  }
  if (!ended) return lost(pump.pid(), "the engine cannot be asked how it ended");
  if (ended->running) {
    return end_it(ExecEnd::kStillRunning, pump.pid(), "its stream ended, but it went on running");
  }
  if (!ended->exit_code) return lost(pump.pid(), "the engine has no exit code of it");

  const int code = *ended->exit_code;
  ExecResult result{ExecEnd::kExited, code, exited_with(code), pump.pid()};
  const bool limit_passed = ran >= request_.limit;
  // coreutils' timeout says 124, or 137 where TERM was not enough; busybox's leaves it to the
  // signal.
  if (code == 124 || (limit_passed && (code == 137 || code == 143))) {
    result.end = ExecEnd::kTimedOut;
    result.detail =
        "it was ended after its limit of " + std::to_string(request_.limit.count()) + " s";
  } else if (code == 137 && container_is_gone()) {
    result.end = ExecEnd::kContainerGone;
    result.detail = "the container ended, was removed or was started again while it ran";
  } else if ((code == 126 || code == 127) && names_a_missing_program(pump.said())) {
    result.end = ExecEnd::kToolMissing;
    result.detail = "its program is not in the container, or cannot be run there";
  } else if (code == 0 && pump.pid().empty()) {
    result.end = ExecEnd::kBrokenStream;
    result.detail = "the engine says code 0, but no sign came that it had begun";
  } else if (code == 0 && pump.input_left()) {
    result.detail += " before it had read all of its standard input";
  }
  return result;
}

// Whether the container went with it decides what it is called.
ExecResult ExecEnding::lost(const std::string& pid, std::string detail) {
  if (container_is_gone()) {
    return {ExecEnd::kContainerGone, std::nullopt,
            "the container ended, was removed or was started again while it ran", pid};
  }
  return end_it(ExecEnd::kEngineLost, pid, std::move(detail));
}

// All that is seen of an engine's end may be that the connection broke.
ExecResult ExecEnding::broken(const std::string& pid, std::string detail) {
  const Result<ExecState> now = state();
  if (!now && now.error().code == ErrorCode::kUnavailable) return lost(pid, std::move(detail));
  return end_it(ExecEnd::kBrokenStream, pid, std::move(detail));
}

ExecResult ExecEnding::never_heard() {
  return end_it(ExecEnd::kEngineLost, {}, "the engine did not answer whether it was started");
}

ExecResult ExecEnding::end_it(ExecEnd end, const std::string& pid, std::string detail) {
  ExecResult result{end, std::nullopt, std::move(detail), pid};
  result.orphan_possible = !is_ended(pid);
  if (result.orphan_possible) result.detail += "; it may still run in the container";
  return result;
}

bool ExecEnding::is_ended(const std::string& pid) {
  Result<ExecState> now = state();
  if (!now) return now.error().code == ErrorCode::kNotFound && container_is_gone();
  for (const char* const script : {kTermScript, kKillScript}) {
    if (!now->running) return true;
    if (pid.empty() || !signal(script, pid)) return false;
    now = await_end();
    if (!now) return false;
  }
  return !now->running;
}

bool ExecEnding::signal(const char* script, const std::string& pid) {
  ExecBody wanted;
  wanted.argv = {"sh", "-c", script, "muniment", pid};
  wanted.user = request_.user;
  wanted.attach_out = false;
  const Result<std::string> body = exec_body(wanted);
  if (!body) return false;
  const Result<HttpAnswer> created =
      http_.post(prefix_ + "/containers/" + request_.container_id + "/exec", *body);
  if (!created || created->status != 201) return false;
  const Result<std::string> id = exec_id_from_json(created->body);
  if (!id) return false;
  const Result<HttpAnswer> started =
      http_.post(prefix_ + "/exec/" + *id + "/start", R"({"Detach":true,"Tty":false})");
  return started && started->status < 300;
}

}  // namespace muniment
