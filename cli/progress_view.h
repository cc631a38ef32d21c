// How far a sink has come: one line that is written over at a terminal, nothing elsewhere.
#ifndef MUNIMENT_CLI_PROGRESS_VIEW_H_
#define MUNIMENT_CLI_PROGRESS_VIEW_H_

#include <chrono>
#include <cstdint>

#include "cli/settings.h"
#include "recorder/world/progress.h"

namespace muniment {

class ProgressView : public Progress {
 public:
  explicit ProgressView(const Globals& globals);
  ~ProgressView() override;
  ProgressView(const ProgressView&) = delete;
  ProgressView& operator=(const ProgressView&) = delete;

  void advance(std::uint64_t bytes) override;
  bool stop_requested() override;

 private:
  void draw(std::chrono::steady_clock::time_point now);

  bool visible_ = false;
  std::uint64_t bytes_ = 0;
  std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point drawn_;
};

}  // namespace muniment

#endif  // MUNIMENT_CLI_PROGRESS_VIEW_H_
