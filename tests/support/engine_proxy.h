// A proxy before a real engine: it writes down what is asked, may refuse what is no reading, and
// may do one thing wrong at a chosen moment.
#ifndef MUNIMENT_TESTS_SUPPORT_ENGINE_PROXY_H_
#define MUNIMENT_TESTS_SUPPORT_ENGINE_PROXY_H_

#include <cstddef>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/temp_dir.h"

namespace muniment {

struct ProxiedRequest {
  std::string method;
  std::string target;  // with version and query
  std::string body;
  bool refused = false;
};

// What goes wrong, once.
struct ProxyFault {
  enum class Moment {
    kNone,
    kBeforeStep,    // before the first POST, or the first archive, is handed on
    kInStream,      // behind `after_bytes` of the stream
    kBehindStream,  // the stream has ended; before the engine is asked how
  };
  enum class Then {
    kGoOn,    // hands on what comes
    kCut,     // closes the connection of the moment; of a framed stream, inside a frame
    kSilent,  // hands on nothing more, until the client closes
    kDie,     // closes all connections and listens no more
  };
  Moment moment = Moment::kNone;
  // The stream: of the command with this word in its arguments; empty: of an archive.
  std::string word = {};
  std::size_t after_bytes = 0;
  std::function<void()> act = {};  // done while the stream is held up
  Then then = Then::kGoOn;
};

// Listens from its construction on, answers each connection in a thread of its own.
class EngineProxy {
 public:
  // `socket` is the engine's.
  explicit EngineProxy(std::string socket);
  ~EngineProxy();
  EngineProxy(const EngineProxy&) = delete;
  EngineProxy& operator=(const EngineProxy&) = delete;

  // The manifest's word for it.
  std::string selector() const { return "unix://" + socket_; }

  // To be called before the first connection.
  void refuse_all_but_reading() { refusing_ = true; }
  void set_fault(ProxyFault fault) { fault_ = std::move(fault); }

  // Whether the fault has happened.
  bool has_fired() const;
  std::vector<ProxiedRequest> requests() const;
  // Nobody listens any more, and connections are cut.
  void die();

 private:
  class Connection;

  void accept_all();
  // Registers a descriptor that die() cuts; false: it is dead already.
  bool keep(int fd);
  void drop(int fd);
  int connect_engine() const;
  bool fire();

  TempDir dir_;
  std::string engine_;
  std::string socket_;
  int listening_ = -1;
  bool refusing_ = false;
  ProxyFault fault_;
  mutable std::mutex mutex_;
  bool fired_ = false;
  bool dead_ = false;
  std::string last_command_;  // the body of the last exec that was created
  std::vector<ProxiedRequest> requests_;
  std::set<int> open_;
  std::vector<std::thread> threads_;
  std::thread accepting_;
};

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_ENGINE_PROXY_H_
