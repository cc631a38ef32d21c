#include "recorder/world/engine/exec_pump.h"

#include <algorithm>

#include "recorder/world/engine/exec_script.h"

namespace muniment {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kRoom = std::size_t{64} << 10U;
constexpr std::size_t kMostKept = 4096;
constexpr std::size_t kMostFirstLine = 64;
constexpr milliseconds kLookAgain{100};

}  // namespace

ExecPump::ExecPump(ExecStream& stream, const ExecStreams& streams)
    : stream_(stream), streams_(streams), room_(kRoom), input_open_(streams.in != nullptr) {
  if (input_open_) input_.resize(kRoom);
}

StreamEnd ExecPump::run(milliseconds stall) {
  Clock::time_point moved = Clock::now();
  for (;;) {
    if (streams_.stop_requested && streams_.stop_requested()) return StreamEnd::kStopped;
    const ExecStream::Ready ready = stream_.wait(input_open_, kLookAgain);
    if (ready.writable && !move_input()) return StreamEnd::kRefused;
    if (ready.readable) {
      const StreamEnd end = read_once();
      if (end != StreamEnd::kSilent) return end;
    }
    // Measured behind what the caller does with a piece, which may take its time.
    if (ready.readable || ready.writable) moved = Clock::now();
    if (stall.count() > 0 && Clock::now() - moved >= stall) return StreamEnd::kSilent;
  }
}

// kSilent: the stream goes on.
StreamEnd ExecPump::read_once() {
  const Result<std::size_t> got = stream_.read(room_.data(), room_.size());
  if (!got) return StreamEnd::kBroke;
  if (*got == 0) {
    if (!frames_.at_boundary()) return StreamEnd::kCutShort;
    return flush_first_line() ? StreamEnd::kEnded : StreamEnd::kRefused;
  }
  const Status fed =
      frames_.feed({room_.data(), *got}, [this](ExecChannel channel, std::string_view piece) {
        Status taken = take(channel, piece);
        refused_ = !taken;
        return taken;
      });
  if (fed) return StreamEnd::kSilent;
  return refused_ ? StreamEnd::kRefused : StreamEnd::kNoFrames;
}

Status ExecPump::take(ExecChannel channel, std::string_view piece) {
  if (channel == ExecChannel::kErr) return take_err(piece);
  out_begin_ += piece.substr(0, kMostKept - out_begin_.size());
  return streams_.out ? streams_.out(piece) : Status();
}

Status ExecPump::take_err(std::string_view piece) {
  if (!first_line_done_) {
    first_line_ += piece;
    const std::string_view begun = std::string_view(first_line_).substr(0, kPidWord.size());
    const bool may_be = kPidWord.starts_with(begun) && first_line_.size() < kMostFirstLine;
    if (may_be && first_line_.find('\n') == std::string::npos) return {};
    return flush_first_line();
  }
  err_tail_ += piece.substr(piece.size() - std::min(piece.size(), kMostKept));
  err_tail_.erase(0, err_tail_.size() - std::min(err_tail_.size(), kMostKept));
  return streams_.err ? streams_.err(piece) : Status();
}

Status ExecPump::flush_first_line() {
  if (first_line_done_) return {};
  first_line_done_ = true;
  std::string_view rest = first_line_;
  const std::size_t end = rest.find('\n');
  if (rest.starts_with(kPidWord) && end != std::string_view::npos) {
    const std::string_view digits = rest.substr(kPidWord.size(), end - kPidWord.size());
    const bool number = !digits.empty() && digits.size() <= 10 && digits.front() != '0' &&
                        digits.find_first_not_of("0123456789") == std::string_view::npos;
    if (number) {
      pid_ = digits;
      rest.remove_prefix(end + 1);
    }
  }
  return rest.empty() ? Status() : take_err(rest);
}

bool ExecPump::move_input() {
  if (input_pending_.empty()) {
    const Result<std::size_t> filled = streams_.in(input_.data(), input_.size());
    if (!filled) return false;
    input_pending_ = {input_.data(), *filled};
    if (*filled == 0) {
      stream_.end_input();
      input_open_ = false;
      return true;
    }
  }
  const Result<std::size_t> written = stream_.write(input_pending_);
  if (!written) {
    // The command may have ended without reading all: how, its exit code says.
    input_open_ = false;
    input_left_ = true;
    return true;
  }
  input_pending_.remove_prefix(*written);
  return true;
}

}  // namespace muniment
