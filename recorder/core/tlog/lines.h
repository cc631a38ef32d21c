// Reading a text line by line, as the formats of this folder want it: each line ends in LF, and an
// error says which one is wrong.
#ifndef MUNIMENT_RECORDER_CORE_TLOG_LINES_H_
#define MUNIMENT_RECORDER_CORE_TLOG_LINES_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "recorder/core/result.h"

namespace muniment {

// A value; the views that it gives live as long as the text.
class Lines {
 public:
  // `what` names the text in errors: "the checkpoint".
  Lines(std::string_view what, std::string_view text) : what_(what), rest_(text) {}

  // The next line without its LF. Absent: no LF is left; `rest()` is what stands behind the last.
  std::optional<std::string_view> next() {
    const std::size_t end = rest_.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    ++number_;
    return line;
  }

  // Whether the next line begins with this; does not move.
  bool next_starts_with(std::string_view prefix) const { return rest_.starts_with(prefix); }

  std::string_view rest() const { return rest_; }

  // kInvalid about the line that next() gave last.
  std::unexpected<Error> wrong(const std::string& why) const { return wrong_at(number_, why); }

  // kInvalid about the line that next() did not find.
  std::unexpected<Error> missing(const std::string& why) const {
    return wrong_at(number_ + 1, why);
  }

 private:
  std::unexpected<Error> wrong_at(std::size_t number, const std::string& why) const {
    return fail(ErrorCode::kInvalid,
                "line " + std::to_string(number) + " of " + std::string(what_) + " " + why);
  }

  std::string_view what_;
  std::string_view rest_;
  std::size_t number_ = 0;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_TLOG_LINES_H_
