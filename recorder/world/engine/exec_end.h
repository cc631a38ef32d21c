// What became of a command, found out behind its stream; and its end where it must be ended.
#ifndef MUNIMENT_RECORDER_WORLD_ENGINE_EXEC_END_H_
#define MUNIMENT_RECORDER_WORLD_ENGINE_EXEC_END_H_

#include <chrono>
#include <string>

#include "muniment/v1/resolution.pb.h"
#include "recorder/core/result.h"
#include "recorder/world/engine/engine_control.h"
#include "recorder/world/engine/engine_json.h"
#include "recorder/world/engine/engine_post.h"
#include "recorder/world/engine/exec_pump.h"

namespace muniment {

// One exec that has been started. Holds references: they must outlive it. Not thread-safe.
//
// The end of a stream proves nothing: an engine that is killed and a container that is stopped end
// it cleanly too. A command has succeeded only when the engine says afterwards that it ended with
// code 0, and the wrapper's first line shows that it had begun.
class ExecEnding {
 public:
  // `before` is the container as it was when the exec was created.
  ExecEnding(EnginePost& http, EngineReader& reader, const EngineLimits& limits,
             const ExecRequest& request, const v1::ContainerObserved& before, std::string exec_id);

  // The verdict, by the stream's end and what the engine says now. Ends the command where it may
  // still run. REQUIRES: the connection of the stream is closed.
  ExecResult judge(StreamEnd end, const ExecPump& pump, std::chrono::steady_clock::duration ran);

  // For a command of which it is not known whether it was started.
  ExecResult never_heard();

 private:
  // Asks until it does not run any more, at most the limit `settle`.
  Result<ExecState> await_end();
  Result<ExecState> state();
  bool container_is_gone();
  ExecResult judge_ended(const ExecPump& pump, std::chrono::steady_clock::duration ran);
  ExecResult lost(const std::string& pid, std::string detail);
  ExecResult broken(const std::string& pid, std::string detail);
  // Sets what it knows of an orphan.
  ExecResult end_it(ExecEnd end, const std::string& pid, std::string detail);
  bool is_ended(const std::string& pid);
  bool signal(const char* script, const std::string& pid);

  EnginePost& http_;
  EngineReader& reader_;
  const EngineLimits& limits_;
  const ExecRequest& request_;
  const v1::ContainerObserved& before_;
  std::string prefix_;  // of paths: "/v1.41"
  std::string exec_id_;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_ENGINE_EXEC_END_H_
