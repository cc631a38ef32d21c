// An archive in the one spelling of ustar (POSIX.1-1988) that a bundle has, so that nothing in it
// can be changed without being seen, headers and padding included.
//
//   for each entry: a header of 512 bytes, the bytes, zeros up to the next multiple of 512
//   at the end: 1024 zeros
//
//   header   name(100) "0000644\0" "0000000\0" "0000000\0" size(11 octal digits, \0)
//            "00000000000\0" checksum(6 octal digits, \0, space) "0" zeros(100) "ustar\0" "00"
//            zeros(64) "0000000\0" "0000000\0" zeros(167)
//
// `tar -x` reads it. Not made by a library: what two versions of one write may differ.
#ifndef MUNIMENT_REPLAY_USTAR_H_
#define MUNIMENT_REPLAY_USTAR_H_

#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/result.h"

namespace muniment {

inline constexpr std::size_t kUstarBlock = 512;

// Appends entries to `out`.
class UstarWriter {
 public:
  explicit UstarWriter(std::string& out) : out_(out) {}

  // REQUIRES: a name of 1 to 99 bytes without NUL; fewer than 2^33 bytes.
  void add(std::string_view name, std::string_view bytes);
  // The end. Nothing is added afterwards.
  void finish();

 private:
  std::string& out_;
};

// Views into the archive.
struct UstarEntry {
  std::string_view name;
  std::string_view bytes;
};

// kInvalid: it does not even begin as such an archive. kNotFound: it does, and its end is not
// there. kCorrupt: it is not what was written. The message says where.
Result<std::vector<UstarEntry>> parse_ustar(std::string_view archive);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_USTAR_H_
