#include "tests/support/fake_engine.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <utility>

#include "recorder/core/check.h"

namespace muniment {
namespace {

// Whether `fd` has something to read before `ending` has, or the time is over (-1: never).
bool is_readable(int fd, int ending, int ms) {
  std::array<pollfd, 2> waiting{{{fd, POLLIN, 0}, {ending, POLLIN, 0}}};
  return ::poll(waiting.data(), waiting.size(), ms) > 0 && waiting[1].revents == 0;
}

// More of what the client sends; empty: it has closed its side, or the engine ends.
std::string read_some(int fd, int ending) {
  std::array<char, 65536> room{};
  if (!is_readable(fd, ending, -1)) return {};
  const ssize_t got = ::recv(fd, room.data(), room.size(), 0);
  return got > 0 ? std::string(room.data(), static_cast<std::size_t>(got)) : std::string();
}

void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

// Reads one request; an empty method: none came.
FakeRequest read_request(int fd, int ending) {
  std::string text;
  std::size_t end = std::string::npos;
  while ((end = text.find("\r\n\r\n")) == std::string::npos) {
    const std::string more = read_some(fd, ending);
    if (more.empty()) return {};
    text += more;
  }
  FakeRequest request;
  request.head = text.substr(0, end + 4);
  std::size_t length = 0;
  const std::size_t named = request.head.find("Content-Length: ");
  if (named != std::string::npos) length = std::stoul(request.head.substr(named + 16));
  request.body = text.substr(end + 4);
  while (request.body.size() < length) {
    const std::string more = read_some(fd, ending);
    if (more.empty()) return {};
    request.body += more;
  }
  const std::size_t space = text.find(' ');
  request.method = text.substr(0, space);
  const std::string target = text.substr(space + 1, text.find(' ', space + 1) - space - 1);
  const std::size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark != std::string::npos) request.query = target.substr(mark + 1);
  return request;
}

}  // namespace

FakeReply reply_raw(std::string bytes) {
  return {{FakeStep::Kind::kSend, std::move(bytes)}};
}

FakeReply reply_json(int status, const std::string& body, const std::string& more_headers) {
  return reply_raw("HTTP/1.1 " + std::to_string(status) +
                   " Text\r\nContent-Type: application/json\r\nConnection: close\r\n" +
                   more_headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                   body);
}

FakeReply reply_stream(int status, const std::string& bytes) {
  const std::string head =
      status == 101 ? "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
                      "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
                    : "HTTP/1.1 " + std::to_string(status) +
                          " OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n";
  return reply_raw(head + bytes);
}

FakeReply reply_chunks(const std::vector<std::string>& chunks, bool whole) {
  FakeReply reply =
      reply_raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
  for (const std::string& chunk : chunks) {
    std::array<char, 20> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", chunk.size());
    reply = std::move(reply) + reply_raw(size.data() + chunk + "\r\n");
  }
  return whole ? std::move(reply) + reply_raw("0\r\n\r\n") : reply;
}

FakeStep pause_for(std::chrono::milliseconds pause) {
  return {FakeStep::Kind::kPause, {}, pause};
}
FakeStep hang() {
  return {FakeStep::Kind::kHang};
}
FakeStep read_input() {
  return {FakeStep::Kind::kReadInput};
}
FakeStep act(std::function<void()> act) {
  return {FakeStep::Kind::kDo, {}, {}, std::move(act)};
}

FakeReply operator+(FakeReply first, const FakeReply& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

std::string fake_frame(unsigned char type, const std::string& payload) {
  const std::size_t size = payload.size();
  std::string bytes{static_cast<char>(type), '\0', '\0', '\0'};
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    bytes += static_cast<char>((size >> shift) & 0xffU);
  }
  return bytes + payload;
}

FakeEngine::FakeEngine() : socket_(dir_ / "engine.sock") {
  listening_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ending_ = ::eventfd(0, EFD_CLOEXEC);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  check(socket_.size() < sizeof address.sun_path, "a socket's path is short");
  std::memcpy(address.sun_path, socket_.c_str(), socket_.size() + 1);
  check(::bind(listening_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
            ::listen(listening_, 16) == 0,
        "a socket can be listened on");
  on("GET /_ping", reply_raw("HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nConnection: close\r\n"
                             "Content-Length: 2\r\n\r\nOK"));
  on("GET /version", reply_json(200, R"({"Components":[{"Name":"Engine"}],"Version":"20.10.24",)"
                                     R"("ApiVersion":"1.41","MinAPIVersion":"1.12"})"));
  accepting_ = std::thread([this] { accept_all(); });
}

FakeEngine::~FakeEngine() {
  die();
  ::close(ending_);
}

void FakeEngine::die() {
  if (listening_ < 0) return;
  const std::uint64_t one = 1;
  check(::write(ending_, &one, sizeof one) == sizeof one, "an eventfd can be written");
  accepting_.join();
  for (std::thread& connection : connections_) connection.join();
  connections_.clear();
  ::close(listening_);
  listening_ = -1;
}

void FakeEngine::on(const std::string& request, std::vector<FakeReply> replies) {
  const std::lock_guard lock(mutex_);
  replies_[request] = std::move(replies);
}

std::vector<FakeRequest> FakeEngine::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::size_t FakeEngine::count(const std::string& request) const {
  std::size_t n = 0;
  for (const FakeRequest& came : requests()) {
    if ((came.method + " " + came.path).starts_with(request)) ++n;
  }
  return n;
}

std::string FakeEngine::input() const {
  const std::lock_guard lock(mutex_);
  return input_;
}

void FakeEngine::accept_all() {
  while (is_readable(listening_, ending_, -1)) {
    const int fd = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    connections_.emplace_back([this, fd] {
      serve(fd);
      ::close(fd);
    });
  }
}

void FakeEngine::serve(int fd) {
  const FakeRequest request = read_request(fd, ending_);
  if (!request.method.empty()) perform(fd, next_reply(request));
}

FakeReply FakeEngine::next_reply(const FakeRequest& request) {
  const std::lock_guard lock(mutex_);
  requests_.push_back(request);
  const auto found = replies_.find(request.method + " " + request.path);
  if (found == replies_.end()) return reply_json(404, R"({"message":"nothing was written down"})");
  FakeReply reply = found->second.front();
  if (found->second.size() > 1) found->second.erase(found->second.begin());
  return reply;
}

void FakeEngine::perform(int fd, const FakeReply& reply) {
  for (const FakeStep& step : reply) {
    switch (step.kind) {
      case FakeStep::Kind::kSend:
        send_all(fd, step.bytes);
        break;
      case FakeStep::Kind::kPause:
        is_readable(ending_, ending_, static_cast<int>(step.pause.count()));
        break;
      case FakeStep::Kind::kHang:
        while (!read_some(fd, ending_).empty()) {
        }
        break;
      case FakeStep::Kind::kReadInput:
        for (std::string more; !(more = read_some(fd, ending_)).empty();) {
          const std::lock_guard lock(mutex_);
          input_ += more;
        }
        break;
      case FakeStep::Kind::kDo:
        step.act();
        break;
    }
  }
}

}  // namespace muniment
