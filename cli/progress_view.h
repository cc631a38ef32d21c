// How far a sink has come: one line that is written over at a terminal, nothing elsewhere.
#ifndef MUNIMENT_CLI_PROGRESS_VIEW_H_
#define MUNIMENT_CLI_PROGRESS_VIEW_H_

#include <chrono>
#include <cstdint>
#include <string>

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

// How many of a known number of things are done, in the same way.
class CountView {
 public:
  // `what` in the plural: "events".
  CountView(const Globals& globals, std::string what);
  ~CountView();
  CountView(const CountView&) = delete;
  CountView& operator=(const CountView&) = delete;

  // From one thread at a time.
  void show(std::uint64_t done, std::uint64_t of);

 private:
  bool visible_ = false;
  bool shown_ = false;
  std::string what_;
  std::chrono::steady_clock::time_point drawn_;
};

}  // namespace muniment

#endif  // MUNIMENT_CLI_PROGRESS_VIEW_H_
