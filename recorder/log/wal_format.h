// The framing of RocksDB's write-ahead log, as far as a checker needs it.
//
// A log is a row of blocks of 32 KiB. A block holds fragments, none of which crosses its end; fewer
// than seven bytes at the end of a block are filler. A fragment is
//   checksum(4)  masked CRC-32C over all that follows length in the header, and the payload
//   length(2)    of the payload
//   type(1)      0 zeros; 1 full, 2 first, 3 middle, 4 last; 5-8 the same in a recycled log
//   log(4)       only with types 5-8: the low half of the log's number
//   payload
// with little-endian integers. A record is one full fragment, or a first, any middles and a last.
// (RocksDB 7.8, db/log_format.h and db/log_reader.cc.)
#ifndef MUNIMENT_RECORDER_LOG_WAL_FORMAT_H_
#define MUNIMENT_RECORDER_LOG_WAL_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace muniment {

inline constexpr std::size_t kWalBlockBytes = 32'768;
inline constexpr std::size_t kWalHeaderBytes = 7;
inline constexpr std::size_t kWalRecyclableHeaderBytes = 11;

// CRC-32C (Castagnoli), as RFC 3720 appendix B.4 has it.
std::uint32_t crc32c(std::string_view bytes);

enum class FragmentKind {
  kGood,   // whole, and its checksum matches
  kZeros,  // nothing was written from here to the end of the block
  kOld,    // whole, of an earlier life of a recycled file: the log ends before it
  kCut,    // the file ends inside the header or the payload
  kBad,    // anything else; `why` says what
};

enum class FragmentType { kFull, kFirst, kMiddle, kLast };

struct Fragment {
  FragmentKind kind = FragmentKind::kBad;
  FragmentType type = FragmentType::kFull;  // of a good one
  std::string_view payload;                 // of a good one; lives as long as the log
  std::size_t end = 0;                      // where it says that the next one begins
  std::string why;
};

// The fragment at `at`; filler before it is skipped. REQUIRES: at < log.size().
Fragment read_fragment(std::string_view log, std::size_t at, std::uint64_t log_number);

// Whether a good fragment begins a record.
inline bool begins_record(const Fragment& fragment) {
  return fragment.type == FragmentType::kFull || fragment.type == FragmentType::kFirst;
}

// Where the next good fragment that begins a record stands, at or behind `from`, whatever lies
// between: every byte is tried, since a damaged length says nothing about where the next one is.
std::optional<std::size_t> find_record(std::string_view log, std::size_t from,
                                       std::uint64_t log_number);

// Where the fragment at `at` ends if it is whole under another length or another type than it says:
// then its header was damaged, and it was not torn by a crash.
std::optional<std::size_t> end_under_another_header(std::string_view log, std::size_t at);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_WAL_FORMAT_H_
