#include "recorder/world/engine/exec_stream.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace muniment {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostHead = std::size_t{64} << 10U;
constexpr std::string_view kEndOfHead = "\r\n\r\n";

milliseconds left_until(Clock::time_point until) {
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(until - Clock::now()));
}

// The status of the first line; 0: this is no head of HTTP/1.
long status_of(std::string_view head) {
  if (!head.starts_with("HTTP/1.") || head.size() < 13 || head[8] != ' ') return 0;
  long status = 0;
  for (const char digit : head.substr(9, 3)) {
    if (digit < '0' || digit > '9') return 0;
    status = status * 10 + (digit - '0');
  }
  return head[12] == ' ' || head[12] == '\r' ? status : 0;
}

}  // namespace

ExecStream::ExecStream(EngineRequest request, int fd) : request_(std::move(request)), fd_(fd) {}

ExecStream::~ExecStream() {
  ::close(fd_);
}

Result<std::unique_ptr<ExecStream>> ExecStream::connect(const EngineRequest& request,
                                                        milliseconds limit) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (request.socket.size() >= sizeof address.sun_path) {
    return std::unexpected(connect_trouble(request, ENAMETOOLONG));
  }
  std::memcpy(address.sun_path, request.socket.c_str(), request.socket.size() + 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return std::unexpected(connect_trouble(request, errno));
  std::unique_ptr<ExecStream> stream(new ExecStream(request, fd));
  const Clock::time_point until = Clock::now() + limit;
  while (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error_number = errno;
    if (error_number == EINTR) continue;
    // A full queue; poll() does not tell when it has room again.
    if (error_number != EAGAIN || Clock::now() >= until) {
      return std::unexpected(connect_trouble(request, error_number));
    }
    ::poll(nullptr, 0, 20);
  }
  return stream;
}

Status ExecStream::send_all(std::string_view bytes, Clock::time_point until) {
  while (!bytes.empty()) {
    const Result<std::size_t> written = write(bytes);
    if (!written) return std::unexpected(written.error());
    bytes.remove_prefix(*written);
    if (*written > 0) continue;
    if (Clock::now() >= until) return std::unexpected(silence(request_, milliseconds(0)));
    pollfd waiting{fd_, POLLOUT, 0};
    ::poll(&waiting, 1, static_cast<int>(left_until(until).count()));
  }
  return {};
}

Result<long> ExecStream::start(const std::string& json, milliseconds limit) {
  const Clock::time_point until = Clock::now() + limit;
  const std::string head = "POST " + request_.path +
                           " HTTP/1.1\r\nHost: docker\r\nUser-Agent: muniment\r\n"
                           "Content-Type: application/json\r\nConnection: Upgrade\r\n"
                           "Upgrade: tcp\r\nContent-Length: " +
                           std::to_string(json.size()) + "\r\n\r\n";
  if (Status sent = send_all(head + json, until); !sent) return pass(sent);
  std::string answer;
  std::array<char, 4096> room{};
  for (;;) {
    const std::size_t end = answer.find(kEndOfHead);
    if (end != std::string::npos) {
      const long status = status_of(answer);
      if (status == 0) break;
      answer.erase(0, end + kEndOfHead.size());
      // A preliminary answer has another one behind it.
      if (status < 200 && status != 101) continue;
      early_ = std::move(answer);
      return status;
    }
    if (answer.size() > kMostHead) break;
    if (Clock::now() >= until) return std::unexpected(silence(request_, limit));
    if (!wait(false, left_until(until)).readable) continue;
    const Result<std::size_t> got = read(room.data(), room.size());
    if (!got) return std::unexpected(got.error());
    if (*got == 0) {
      return std::unexpected(trouble(request_, "the answer broke off before it began",
                                     "look at the engine's log, and run it again"));
    }
    answer.append(room.data(), *got);
  }
  return std::unexpected(trouble(request_, "the answer is malformed: it is no HTTP/1.1",
                                 "check which program answers on the socket"));
}

std::string ExecStream::refusal_text(milliseconds limit) {
  const Clock::time_point until = Clock::now() + limit;
  std::string text;
  std::array<char, 4096> room{};
  // The connection may be kept open behind it: an object that has been closed is enough.
  while (text.size() < kMostHead && !text.ends_with("}") && !text.ends_with("}\n")) {
    if (Clock::now() >= until) break;
    if (!wait(false, left_until(until)).readable) continue;
    const Result<std::size_t> got = read(room.data(), room.size());
    if (!got || *got == 0) break;
    text.append(room.data(), *got);
  }
  const std::size_t begin = text.find('{');
  const std::size_t end = text.rfind('}');
  if (begin == std::string::npos || end == std::string::npos || end < begin) return text;
  return text.substr(begin, end - begin + 1);
}

ExecStream::Ready ExecStream::wait(bool to_write, milliseconds limit) {
  if (early_read_ < early_.size()) limit = milliseconds(0);
  pollfd waiting{fd_, static_cast<short>(to_write ? POLLIN | POLLOUT : POLLIN), 0};
  if (::poll(&waiting, 1, static_cast<int>(limit.count())) < 0) waiting.revents = 0;
  const auto has = [&](int bits) { return (waiting.revents & bits) != 0; };
  return {early_read_ < early_.size() || has(POLLIN | POLLHUP | POLLERR),
          to_write && has(POLLOUT | POLLERR)};
}

Result<std::size_t> ExecStream::read(char* room, std::size_t size) {
  if (early_read_ < early_.size()) {
    const std::size_t taken = early_.copy(room, size, early_read_);
    early_read_ += taken;
    return taken;
  }
  for (;;) {
    const ssize_t got = ::recv(fd_, room, size, 0);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno == EINTR) continue;
    if (errno == EAGAIN) {
      pollfd waiting{fd_, POLLIN, 0};
      ::poll(&waiting, 1, -1);
      continue;
    }
    return std::unexpected(
        trouble(request_, "the connection broke", "look at the engine's log, and run it again"));
  }
}

Result<std::size_t> ExecStream::write(std::string_view bytes) {
  for (;;) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return std::size_t{0};
    return std::unexpected(trouble(request_, "the connection takes no more bytes",
                                   "look at the engine's log, and run it again"));
  }
}

void ExecStream::end_input() {
  ::shutdown(fd_, SHUT_WR);
}

}  // namespace muniment
