#include "recorder/core/redacted_lines.h"

#include <algorithm>
#include <utility>

#include "recorder/core/secret_shapes.h"

namespace muniment {
namespace {

constexpr std::size_t kLongestLine = std::size_t{1} << 20U;

// Moving the rest to the front pays only when much more than the rest was settled.
constexpr std::size_t kLeastSettled = 4096;

}  // namespace

RedactedLines::RedactedLines(const Redactor& redactor, Take take)
    : redactor_(redactor), take_(std::move(take)) {}

void RedactedLines::write(std::string_view piece, std::uint64_t arrival) {
  if (piece.empty()) return;
  pending_ += piece;
  pieces_.push_back({pending_.size(), arrival});
  const std::size_t held_back = redactor_.longest_form();
  if (pending_.size() >= 2 * held_back + kLeastSettled) settle(pending_.size() - held_back);
}

void RedactedLines::finish() {
  settle(pending_.size());
  if (!line_.empty()) hand_out(0);
}

void RedactedLines::settle(std::size_t decided) {
  std::size_t at = 0;
  while (at < decided) at = settle_line(at, decided);
  pending_.erase(0, decided);
  // The last piece stays, to say when the end of the stream came.
  while (pieces_.size() > 1 && pieces_.front().end <= decided) pieces_.erase(pieces_.begin());
  for (Piece& piece : pieces_) piece.end -= std::min(piece.end, decided);
}

// Redacts to the end of a line, or to `end`. A newline inside a secret ends no line.
std::size_t RedactedLines::settle_line(std::size_t from, std::size_t end) {
  const std::string_view text = std::string_view(pending_).substr(from);
  const std::size_t size = std::min(text.find('\n') + 1, end - from);
  const std::size_t decided = size == 0 ? end - from : size;
  redactor_.known_.replace(text, decided, covered_, line_);
  if (line_.ends_with('\n') || line_.size() > kLongestLine) hand_out(from + decided - 1);
  return from + decided;
}

void RedactedLines::hand_out(std::size_t at) {
  const auto piece = std::find_if(pieces_.begin(), pieces_.end(),
                                  [&](const Piece& candidate) { return at < candidate.end; });
  const std::uint64_t arrival = piece != pieces_.end() ? piece->arrival
                                : pieces_.empty()      ? 0
                                                       : pieces_.back().arrival;
  take_(arrival, mask_shapes(line_));
  line_.clear();
}

}  // namespace muniment
