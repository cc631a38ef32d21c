#include "tests/support/engine_proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "recorder/core/check.h"

namespace muniment {
namespace {

constexpr std::size_t kRoom = std::size_t{16} << 10U;
constexpr std::size_t kFrameHead = 8;
constexpr const char* kRefusal =
    "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nConnection: close\r\n"
    "Content-Length: 34\r\n\r\n{\"message\":\"refused by the proxy\"}\n";

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  check(path.size() < sizeof address.sun_path, "a socket's path is short");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

// Takes a whole request off the beginning of `bytes`; false: there is none yet.
bool take_request(std::string& bytes, ProxiedRequest& request, std::string& raw) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  std::size_t length = 0;
  const std::size_t named = bytes.find("Content-Length: ");
  if (named < end) length = std::strtoul(bytes.c_str() + named + 16, nullptr, 10);
  if (bytes.size() < end + 4 + length) return false;
  raw = bytes.substr(0, end + 4 + length);
  bytes.erase(0, raw.size());
  const std::size_t space = raw.find(' ');
  request.method = raw.substr(0, space);
  request.target = raw.substr(space + 1, raw.find(' ', space + 1) - space - 1);
  request.body = raw.substr(end + 4);
  return true;
}

}  // namespace

// One of the client's connections, with its own to the engine.
class EngineProxy::Connection {
 public:
  Connection(EngineProxy& proxy, int client) : proxy_(proxy), client_(client) {}

  void serve();

 private:
  bool from_client();
  bool from_engine();
  bool hand_on(const ProxiedRequest& request, const std::string& raw);
  // Sends of the watched stream what may pass before the fault; false: the connection ends.
  bool watch(std::string_view bytes);
  bool strike();
  std::size_t safe_part(std::string_view bytes);

  EngineProxy& proxy_;
  int client_;
  int engine_ = -1;
  std::string asked_;
  bool raw_ = false;      // the connection is a stream in both directions
  bool watched_ = false;  // the answer under way is the fault's stream
  bool framed_ = false;
  bool in_body_ = false;
  std::string head_;
  std::size_t passed_ = 0;
  std::string frame_head_;
  std::size_t frame_left_ = 0;
};

void EngineProxy::Connection::serve() {
  engine_ = proxy_.connect_engine();
  if (engine_ >= 0 && proxy_.keep(engine_)) {
    for (;;) {
      std::array<pollfd, 2> waiting{{{client_, POLLIN, 0}, {engine_, POLLIN, 0}}};
      if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
      if (waiting[0].revents != 0 && !from_client()) break;
      if (waiting[1].revents != 0 && !from_engine()) break;
    }
    proxy_.drop(engine_);
  } else if (engine_ >= 0) {
    ::close(engine_);
  }
}

bool EngineProxy::Connection::from_client() {
  std::array<char, kRoom> room{};
  const ssize_t got = ::recv(client_, room.data(), room.size(), 0);
  if (got < 0) return false;
  if (got == 0) {
    // The client may have closed its side alone: what the engine still says is for it.
    ::shutdown(engine_, SHUT_WR);
    if (!raw_) return false;
    pollfd waiting{client_, 0, 0};
    if (::poll(&waiting, 1, 0) > 0 && (waiting.revents & POLLHUP) != 0) return false;
    while (from_engine()) {
    }
    return false;
  }
  const std::string_view bytes(room.data(), static_cast<std::size_t>(got));
  if (raw_) return send_all(engine_, bytes);
  asked_ += bytes;
  ProxiedRequest request;
  std::string raw;
  while (take_request(asked_, request, raw)) {
    if (!hand_on(request, raw)) return false;
  }
  return true;
}

bool EngineProxy::Connection::hand_on(const ProxiedRequest& request, const std::string& raw) {
  using Moment = ProxyFault::Moment;
  const bool reading = request.method == "GET" || request.method == "HEAD";
  const bool archive = request.method == "GET" && request.target.contains("/archive?");
  const bool start = request.method == "POST" && request.target.ends_with("/start");
  const ProxyFault& fault = proxy_.fault_;
  bool of_word = false;
  {
    const std::lock_guard lock(proxy_.mutex_);
    if (request.method == "POST" && request.target.ends_with("/exec")) {
      proxy_.last_command_ = request.body;
    }
    of_word = !fault.word.empty() && proxy_.last_command_.contains(fault.word);
    proxy_.requests_.push_back(request);
    proxy_.requests_.back().refused = proxy_.refusing_ && !reading;
  }
  if (proxy_.refusing_ && !reading) {
    send_all(client_, kRefusal);
    return false;
  }
  const bool asks_end = request.target.contains("/exec/") && request.target.ends_with("/json");
  const bool strikes = (fault.moment == Moment::kBeforeStep && (!reading || archive)) ||
                       (fault.moment == Moment::kBehindStream && of_word && asks_end);
  if (strikes && !strike()) return false;
  watched_ = fault.moment == Moment::kInStream && !proxy_.has_fired() &&
             (fault.word.empty() ? archive : of_word && start);
  framed_ = start;
  raw_ = start;
  return send_all(engine_, raw);
}

bool EngineProxy::Connection::from_engine() {
  std::array<char, kRoom> room{};
  const ssize_t got = ::recv(engine_, room.data(), room.size(), 0);
  if (got <= 0) return false;
  const std::string_view bytes(room.data(), static_cast<std::size_t>(got));
  return watched_ ? watch(bytes) : send_all(client_, bytes);
}

bool EngineProxy::Connection::watch(std::string_view bytes) {
  if (!in_body_) {
    head_ += bytes;
    const std::size_t end = head_.find("\r\n\r\n");
    if (end == std::string::npos) return true;
    in_body_ = true;
    if (!send_all(client_, head_.substr(0, end + 4))) return false;
    const std::string rest = head_.substr(end + 4);
    return rest.empty() || watch(rest);
  }
  const std::size_t safe = safe_part(bytes);
  if (!send_all(client_, bytes.substr(0, safe))) return false;
  passed_ += safe;
  if (safe == bytes.size()) return true;
  watched_ = false;
  return strike() && send_all(client_, bytes.substr(safe));
}

// How many bytes pass before the fault: up to `after_bytes`, and of frames so many more that the
// last one is not whole.
std::size_t EngineProxy::Connection::safe_part(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const bool inside = !framed_ || frame_left_ > 0 || !frame_head_.empty();
    if (inside && passed_ + i >= proxy_.fault_.after_bytes) return i;
    if (frame_left_ > 0) {
      --frame_left_;
      continue;
    }
    frame_head_ += bytes[i];
    if (frame_head_.size() < kFrameHead) continue;
    for (std::size_t at = 4; at < kFrameHead; ++at) {
      frame_left_ = frame_left_ << 8U | static_cast<unsigned char>(frame_head_[at]);
    }
    frame_head_.clear();
  }
  return bytes.size();
}

// Does what is to go wrong; false: the connection ends.
bool EngineProxy::Connection::strike() {
  if (!proxy_.fire()) return true;
  if (proxy_.fault_.act) proxy_.fault_.act();
  switch (proxy_.fault_.then) {
    case ProxyFault::Then::kGoOn:
      return true;
    case ProxyFault::Then::kCut:
      return false;
    case ProxyFault::Then::kSilent: {
      std::array<char, kRoom> room{};
      while (::recv(client_, room.data(), room.size(), 0) > 0) {
      }
      return false;
    }
    case ProxyFault::Then::kDie:
      proxy_.die();
      return false;
  }
  return false;
}

EngineProxy::EngineProxy(std::string socket)
    : engine_(std::move(socket)), socket_(dir_ / "proxy.sock") {
  listening_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = address_of(socket_);
  check(::bind(listening_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
            ::listen(listening_, 16) == 0,
        "a socket can be listened on");
  accepting_ = std::thread([this] { accept_all(); });
}

EngineProxy::~EngineProxy() {
  die();
  accepting_.join();
  for (std::thread& thread : threads_) thread.join();
  ::close(listening_);
}

void EngineProxy::die() {
  const std::lock_guard lock(mutex_);
  dead_ = true;
  ::shutdown(listening_, SHUT_RDWR);
  for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
}

bool EngineProxy::has_fired() const {
  const std::lock_guard lock(mutex_);
  return fired_;
}

std::vector<ProxiedRequest> EngineProxy::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

bool EngineProxy::fire() {
  const std::lock_guard lock(mutex_);
  return !std::exchange(fired_, true);
}

bool EngineProxy::keep(int fd) {
  const std::lock_guard lock(mutex_);
  if (!dead_) open_.insert(fd);
  return !dead_;
}

void EngineProxy::drop(int fd) {
  const std::lock_guard lock(mutex_);
  open_.erase(fd);
  ::close(fd);
}

int EngineProxy::connect_engine() const {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = address_of(engine_);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

void EngineProxy::accept_all() {
  for (;;) {
    const int client = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    if (!keep(client)) {
      ::close(client);
      return;
    }
    threads_.emplace_back([this, client] {
      Connection(*this, client).serve();
      drop(client);
    });
  }
}

}  // namespace muniment
