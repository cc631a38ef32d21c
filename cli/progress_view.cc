#include "cli/progress_view.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "cli/stop.h"
#include "recorder/core/plan.h"

namespace muniment {
namespace {

constexpr std::chrono::milliseconds kBetween{200};

bool is_wanted(const Globals& globals) {
  return isatty(STDERR_FILENO) == 1 && !globals.quiet && globals.log_format == "text";
}

}  // namespace

ProgressView::ProgressView(const Globals& globals)
    : visible_(is_wanted(globals)), started_(std::chrono::steady_clock::now()), drawn_(started_) {}

ProgressView::~ProgressView() {
  if (visible_ && bytes_ > 0) std::fputs("\r\x1b[K", stderr);
}

void ProgressView::advance(std::uint64_t bytes) {
  bytes_ += bytes;
  if (!visible_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - drawn_ < kBetween) return;
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

CountView::CountView(const Globals& globals, std::string what)
    : visible_(is_wanted(globals)),
      what_(std::move(what)),
      drawn_(std::chrono::steady_clock::now()) {}

CountView::~CountView() {
  if (shown_) std::fputs("\r\x1b[K", stderr);
}

void CountView::show(std::uint64_t done, std::uint64_t of) {
  const auto now = std::chrono::steady_clock::now();
  if (!visible_ || now - drawn_ < kBetween) return;
  std::fprintf(stderr, "\r\x1b[K%llu of %llu %s\r", static_cast<unsigned long long>(done),
               static_cast<unsigned long long>(of), what_.c_str());
  drawn_ = now;
  shown_ = true;
}

}  // namespace muniment
