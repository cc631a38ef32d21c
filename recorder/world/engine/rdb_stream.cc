#include "recorder/world/engine/rdb_stream.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace muniment {
namespace {

constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kHeadBytes = 9;
constexpr std::size_t kHeldBytes = RdbStream::kMarkBytes + kChecksumBytes + 1;
constexpr std::uint64_t kReflected = 0x95ac9329ac4bc9b5U;

// Table k says what a byte that lies k bytes back does: eight bytes at a time.
using Tables = std::array<std::array<std::uint64_t, 256>, 8>;

Tables make_tables() {
  Tables tables{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    std::uint64_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? kReflected : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t byte = 0; byte < 256; ++byte) {
    for (std::size_t k = 1; k < 8; ++k) {
      const std::uint64_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8U) ^ tables[0][before & 0xffU];
    }
  }
  return tables;
}

std::uint64_t load(std::string_view bytes) {
  std::uint64_t out = 0;
  for (std::size_t i = 8; i-- > 0;) {
    out = (out << 8U) | static_cast<unsigned char>(bytes[i]);
  }
  return out;
}

std::optional<std::uint64_t> number_after(std::string_view text, std::string_view words) {
  const std::size_t at = text.rfind(words);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + words.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data() + text.size() || *end != ' ') return std::nullopt;
  return number;
}

}  // namespace

std::uint64_t crc64_jones(std::uint64_t crc, std::string_view bytes) {
  static const Tables kTables = make_tables();
  while (bytes.size() >= 8) {
    const std::uint64_t word = crc ^ load(bytes);
    crc = 0;
    for (std::size_t k = 0; k < 8; ++k) crc ^= kTables[7 - k][(word >> (8 * k)) & 0xffU];
    bytes.remove_prefix(8);
  }
  for (const char c : bytes) {
    crc = (crc >> 8U) ^ kTables[0][(crc ^ static_cast<unsigned char>(c)) & 0xffU];
  }
  return crc;
}

std::optional<std::uint64_t> rdb_size_said(std::string_view standard_error) {
  if (auto after = number_after(standard_error, "success after ")) return after;
  return number_after(standard_error, "writing ");
}

Status RdbStream::hand_on(std::string_view piece) {
  crc_ = crc64_jones(crc_, piece);
  return out_(piece);
}

Status RdbStream::write(std::string_view piece) {
  size_ += piece.size();
  head_.append(piece.substr(0, kHeadBytes - std::min(kHeadBytes, head_.size())));
  // What is surely not among the last bytes goes on without being copied.
  if (held_.size() + piece.size() <= kHeldBytes) {
    held_.append(piece);
    return {};
  }
  std::size_t free = held_.size() + piece.size() - kHeldBytes;
  const std::size_t of_held = std::min(free, held_.size());
  if (of_held > 0) {
    if (Status handed = hand_on(std::string_view(held_).substr(0, of_held)); !handed) return handed;
    held_.erase(0, of_held);
    free -= of_held;
  }
  if (free > 0) {
    if (Status handed = hand_on(piece.substr(0, free)); !handed) return handed;
  }
  held_.append(piece.substr(free));
  return {};
}

Status RdbStream::finish(std::uint64_t size) {
  const auto corrupt = [](const std::string& what) {
    return fail(ErrorCode::kCorrupt,
                "what redis-cli gave is no whole RDB: " + what + "; run again");
  };
  if (size_ != size && size_ != size + kMarkBytes) {
    return corrupt("it has " + std::to_string(size_) + " bytes where the server counted " +
                   std::to_string(size));
  }
  if (size_ > size) held_.resize(held_.size() - std::min(held_.size(), kMarkBytes));
  const bool magic =
      head_.size() == kHeadBytes && head_.starts_with("REDIS") &&
      std::all_of(head_.begin() + 5, head_.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!magic) return corrupt("it does not begin with REDIS and a version");
  if (held_.size() <= kChecksumBytes) return corrupt("it is too short");
  const std::size_t end = held_.size() - kChecksumBytes;
  if (held_[end - 1] != '\xff') return corrupt("the byte before its checksum is not the end mark");
  const std::uint64_t crc = crc64_jones(crc_, std::string_view(held_).substr(0, end));
  const std::uint64_t stored = load(std::string_view(held_).substr(end));
  has_checksum_ = stored != 0;
  if (has_checksum_ && stored != crc) return corrupt("its checksum does not hold");
  return out_(held_);
}

}  // namespace muniment
