// An engine that answers what a test wrote down, byte for byte, on a real unix socket.
#ifndef MUNIMENT_TESTS_SUPPORT_FAKE_ENGINE_H_
#define MUNIMENT_TESTS_SUPPORT_FAKE_ENGINE_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "recorder/world/engine/engine_address.h"
#include "tests/support/temp_dir.h"

namespace muniment {

// One thing that the engine does on a connection.
struct FakeStep {
  enum class Kind {
    kSend,       // `bytes`
    kPause,      // `pause`, or until the engine ends
    kHang,       // until the client closes or the engine ends
    kReadInput,  // until the client has closed its side; what came is kept, see input()
    kDo,         // `act`
  };
  Kind kind = Kind::kSend;
  std::string bytes = {};
  std::chrono::milliseconds pause{};
  std::function<void()> act = {};
};

// What it does for one request; the connection is closed behind it.
using FakeReply = std::vector<FakeStep>;

FakeReply reply_raw(std::string bytes);
FakeReply reply_json(int status, const std::string& body, const std::string& more_headers = "");
// The head of a stream without length, then the bytes.
FakeReply reply_stream(int status, const std::string& bytes);
// A body in chunks; without the last chunk it has broken off.
FakeReply reply_chunks(const std::vector<std::string>& chunks, bool whole);
FakeStep pause_for(std::chrono::milliseconds pause);
FakeStep hang();
FakeStep read_input();
FakeStep act(std::function<void()> act);
FakeReply operator+(FakeReply first, const FakeReply& second);

// A frame of the multiplexed stream.
std::string fake_frame(unsigned char type, const std::string& payload);

struct FakeRequest {
  std::string method;
  std::string path;   // with its version
  std::string query;  // without the question mark
  std::string body;
  std::string head;
};

// Listens from its construction on, answers each connection in a thread of its own. Speaks as
// docker 20.10 about its version until it is told otherwise; a request without a reply gets 404.
class FakeEngine {
 public:
  FakeEngine();
  ~FakeEngine();
  FakeEngine(const FakeEngine&) = delete;
  FakeEngine& operator=(const FakeEngine&) = delete;

  EngineAddress address() const { return {socket_, "test"}; }

  // `request` is a method and a path, as "GET /v1.41/containers/json". The replies are given one by
  // one, the last one for ever. May be called while it answers.
  void on(const std::string& request, const FakeReply& reply) {
    on(request, std::vector<FakeReply>(1, reply));
  }
  void on(const std::string& request, std::vector<FakeReply> replies);

  // Nobody listens any more, and connections are cut. The socket's file stays.
  void die();

  std::vector<FakeRequest> requests() const;
  // How many came that begin so: "POST /v1.41/containers".
  std::size_t count(const std::string& request) const;
  // What kReadInput read.
  std::string input() const;

 private:
  void accept_all();
  void serve(int fd);
  void perform(int fd, const FakeReply& reply);
  FakeReply next_reply(const FakeRequest& request);

  TempDir dir_;
  std::string socket_;
  int listening_ = -1;
  int ending_ = -1;  // an eventfd that is readable once the engine is to end
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<FakeReply>> replies_;
  std::vector<FakeRequest> requests_;
  std::string input_;
  std::vector<std::thread> connections_;
  std::thread accepting_;
};

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_FAKE_ENGINE_H_
