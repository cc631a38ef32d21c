// Redacts a stream line by line, so that lines of two streams can be put in the order they came.
#ifndef MUNIMENT_RECORDER_CORE_REDACTED_LINES_H_
#define MUNIMENT_RECORDER_CORE_REDACTED_LINES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/redact.h"

namespace muniment {

// One stream. A known secret is found wherever pieces and line ends cut it, as redact() on the
// whole would find it; the other rules look at one line at a time. Lines come out late: only once
// nothing that may follow can change them. `redactor` must outlive it. Not thread-safe.
class RedactedLines {
 public:
  // Gets each line with its newline (the last one may have none; one that is longer than 1 MiB
  // comes in parts) and the `arrival` of the piece that ended it.
  using Take = std::function<void(std::uint64_t arrival, std::string_view line)>;

  RedactedLines(const Redactor& redactor, Take take);

  // `arrival` grows from piece to piece.
  void write(std::string_view piece, std::uint64_t arrival);
  // Hands out the rest; nothing may be written afterwards.
  void finish();

 private:
  struct Piece {
    std::size_t end = 0;  // in pending_
    std::uint64_t arrival = 0;
  };

  void settle(std::size_t decided);
  std::size_t settle_line(std::size_t from, std::size_t end);
  void hand_out(std::size_t at);

  const Redactor& redactor_;
  Take take_;
  std::string pending_;        // not redacted yet, may end inside a secret
  std::vector<Piece> pieces_;  // that pending_ is made of
  std::size_t covered_ = 0;    // bytes of pending_ whose mask stands in line_
  std::string line_;           // without known values
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_REDACTED_LINES_H_
