// What a command printed, both streams in one text, with the middle cut where it is too long.
#ifndef MUNIMENT_RECORDER_CORE_TRANSCRIPT_H_
#define MUNIMENT_RECORDER_CORE_TRANSCRIPT_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace muniment {

// Each line of it is one line of a stream behind `out| ` or `err| `, ended by a newline. Where the
// middle was cut stands
//   [N bytes left out]
// and, when that was inside a line, its rest behind `...| `. So nothing that a command prints can
// be taken for a cut, nor for the other stream. Bounded: holds `limit` bytes at most, whatever is
// added. A value type.
class Transcript {
 public:
  explicit Transcript(std::size_t limit) : half_((limit - kMarkBytes) / 2) {}

  // `arrival` orders the lines; those of one arrival stay in the order of their additions. A line
  // that comes late finds its place, unless that was cut already.
  void add(std::uint64_t arrival, bool is_error, std::string_view line);

  std::uint64_t cut_bytes() const { return cut_bytes_; }
  std::string text() const;

 private:
  struct Part {
    std::string text;
    bool starts_line = true;
  };
  using Lines = std::multimap<std::uint64_t, Part>;
  static constexpr std::size_t kMarkBytes = 64;

  void insert(std::uint64_t arrival, Part part);

  std::size_t half_;
  Lines head_;  // nothing in it came after anything in tail_
  Lines tail_;
  std::size_t head_bytes_ = 0;
  std::size_t tail_bytes_ = 0;
  std::uint64_t cut_bytes_ = 0;  // between the two
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_TRANSCRIPT_H_
