// Moves the bytes of a running command between its stream and who wants them.
#ifndef MUNIMENT_RECORDER_WORLD_ENGINE_EXEC_PUMP_H_
#define MUNIMENT_RECORDER_WORLD_ENGINE_EXEC_PUMP_H_

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/result.h"
#include "recorder/world/engine/engine_control.h"
#include "recorder/world/engine/exec_stream.h"
#include "recorder/world/engine/frame_reader.h"

namespace muniment {

// How a stream ended; only kEnded says that the command may have ended well.
enum class StreamEnd {
  kEnded,     // on a frame boundary
  kCutShort,  // inside a frame
  kNoFrames,  // no frame came where one should, or the engine reported an error
  kBroke,     // the connection failed
  kSilent,    // nothing moved for longer than allowed
  kStopped,   // a stop was requested
  kRefused,   // a function of the caller returned an error
};

// One command's streams. Holds references: they must outlive it. Not thread-safe.
class ExecPump {
 public:
  ExecPump(ExecStream& stream, const ExecStreams& streams);

  // Runs until the stream ends in one of the ways above. `stall` 0: no limit. Whether a stop is
  // requested is asked with each piece, and ten times a second in between.
  StreamEnd run(std::chrono::milliseconds stall);

  // The number that the wrapper told in the first line of standard error; empty: it did not.
  const std::string& pid() const { return pid_; }
  // The first and the last words of both streams: what a missing program is known by.
  std::string said() const { return out_begin_ + "\n" + err_tail_; }
  // Whether the other side stopped to take standard input before its end.
  bool input_left() const { return input_left_; }

 private:
  Status take(ExecChannel channel, std::string_view piece);
  Status take_err(std::string_view piece);
  Status flush_first_line();
  // False: the caller's function failed.
  bool move_input();
  StreamEnd read_once();

  ExecStream& stream_;
  const ExecStreams& streams_;
  FrameReader frames_;
  std::vector<char> room_;

  bool refused_ = false;
  bool first_line_done_ = false;
  std::string first_line_;  // of standard error, until it is whole
  std::string pid_;
  std::string out_begin_;
  std::string err_tail_;

  std::vector<char> input_;
  std::string_view input_pending_;
  bool input_open_;
  bool input_left_ = false;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_ENGINE_EXEC_PUMP_H_
