#include "cli/progress_view.h"

#include <unistd.h>

#include <cstdio>

#include "cli/stop.h"
#include "recorder/core/plan.h"

namespace muniment {

ProgressView::ProgressView(const Globals& globals)
    : visible_(isatty(STDERR_FILENO) == 1 && !globals.quiet && globals.log_format == "text"),
      started_(std::chrono::steady_clock::now()),
      drawn_(started_) {}

ProgressView::~ProgressView() {
  if (visible_ && bytes_ > 0) std::fputs("\r\x1b[K", stderr);
}

void ProgressView::advance(std::uint64_t bytes) {
  bytes_ += bytes;
  if (!visible_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - drawn_ < std::chrono::milliseconds(200)) return;
  draw(now);
}

void ProgressView::draw(std::chrono::steady_clock::time_point now) {
  const double seconds = std::chrono::duration<double>(now - started_).count();
  const auto rate = static_cast<std::uint64_t>(static_cast<double>(bytes_) / seconds);
  std::fprintf(stderr, "\r\x1b[K%s read, %s/s, %.0f s\r", human_bytes(bytes_).c_str(),
               human_bytes(rate).c_str(), seconds);
  drawn_ = now;
}

bool ProgressView::stop_requested() {
  return muniment::stop_requested();
}

}  // namespace muniment
