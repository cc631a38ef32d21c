// One connection on which an exec is started and its streams then flow: HTTP ends where the head of
// the answer does, which is why libcurl is of no use here.
#ifndef MUNIMENT_RECORDER_WORLD_ENGINE_EXEC_STREAM_H_
#define MUNIMENT_RECORDER_WORLD_ENGINE_EXEC_STREAM_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "recorder/core/result.h"
#include "recorder/world/engine/engine_trouble.h"

namespace muniment {

// Owns the socket. Not thread-safe. Nothing blocks longer than it says.
class ExecStream {
 public:
  // kUnavailable as connect_trouble says; a full queue is waited for within `limit`.
  static Result<std::unique_ptr<ExecStream>> connect(const EngineRequest& request,
                                                     std::chrono::milliseconds limit);
  ~ExecStream();
  ExecStream(const ExecStream&) = delete;
  ExecStream& operator=(const ExecStream&) = delete;

  // POSTs `json` with an upgrade of the connection, and reads the head of the answer. Its status is
  // returned; from 200 and 101 on read() gives the stream, bytes behind the head first.
  // kUnavailable: no head came within `limit`, or none that is HTTP. The engine may have started
  // the command all the same.
  Result<long> start(const std::string& json, std::chrono::milliseconds limit);

  // The body of an answer of another status, or as much of it as comes: at most 64 KiB.
  std::string refusal_text(std::chrono::milliseconds limit);

  struct Ready {
    bool readable = false;  // read() will not block
    bool writable = false;  // asked for, and write() will take something or fail
  };
  Ready wait(bool to_write, std::chrono::milliseconds limit);

  // Bytes, 0 at the end of the stream. kUnavailable: the connection broke.
  // REQUIRES: wait() said it is readable.
  Result<std::size_t> read(char* room, std::size_t size);

  // How much was taken, 0 when nothing can be for now. kUnavailable: the other side takes no more.
  Result<std::size_t> write(std::string_view bytes);

  // The end of standard input; the streams of the command go on.
  void end_input();

 private:
  ExecStream(EngineRequest request, int fd);
  Status send_all(std::string_view bytes, std::chrono::steady_clock::time_point until);

  EngineRequest request_;
  int fd_;
  std::string early_;  // what came behind the head
  std::size_t early_read_ = 0;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_ENGINE_EXEC_STREAM_H_
