#include "recorder/log/wal_format.h"

#include <algorithm>
#include <array>

namespace muniment {
namespace {

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0U);
    table[byte] = crc;
  }
  return table;
}

constexpr std::array<std::uint32_t, 256> kCrcTable = make_crc_table();

std::uint32_t add_to_crc(std::uint32_t crc, std::string_view bytes) {
  for (const char byte : bytes) {
    crc = (crc >> 8U) ^ kCrcTable[(crc ^ static_cast<std::uint8_t>(byte)) & 0xFFU];
  }
  return crc;
}

// RocksDB stores checksums masked, so that a checksum over bytes that hold checksums is sound.
std::uint32_t masked(std::uint32_t crc) {
  return ((crc >> 15U) | (crc << 17U)) + 0xA282EAD8U;
}

std::uint32_t little_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = (value << 8U) | static_cast<std::uint8_t>(bytes[i]);
  }
  return value;
}

bool is_recyclable(std::uint8_t type) {
  return type >= 5 && type <= 8;
}

std::size_t block_end(std::string_view log, std::size_t at) {
  return std::min(log.size(), (at / kWalBlockBytes + 1) * kWalBlockBytes);
}

Fragment fragment_of(FragmentKind kind, std::size_t end, std::string why = "") {
  return {kind, FragmentType::kFull, {}, end, std::move(why)};
}

// `rest` runs from the header to the end of the block.
Fragment judge(std::string_view rest, std::size_t at, bool file_ends_here,
               std::uint64_t log_number) {
  const auto type = static_cast<std::uint8_t>(rest[6]);
  const std::size_t length = little_endian(rest.substr(4, 2));
  const std::size_t header = is_recyclable(type) ? kWalRecyclableHeaderBytes : kWalHeaderBytes;
  if (rest.find_first_not_of('\0') == std::string_view::npos) {
    return fragment_of(FragmentKind::kZeros, at + rest.size());
  }
  if (header + length > rest.size()) {
    if (file_ends_here) return fragment_of(FragmentKind::kCut, at + rest.size());
    return fragment_of(FragmentKind::kBad, at + rest.size(),
                       "its length of " + std::to_string(length) + " bytes leaves the block");
  }
  if (little_endian(rest.substr(0, 4)) != masked(crc32c(rest.substr(6, header - 6 + length)))) {
    return fragment_of(FragmentKind::kBad, at + header + length, "its checksum does not match");
  }
  if (type == 0 || type > 8) {
    return fragment_of(FragmentKind::kBad, at + header + length,
                       "its type " + std::to_string(type) + " is not known");
  }
  const std::size_t end = at + header + length;
  if (is_recyclable(type) &&
      little_endian(rest.substr(7, 4)) != static_cast<std::uint32_t>(log_number)) {
    return fragment_of(FragmentKind::kOld, end);
  }
  return {FragmentKind::kGood, static_cast<FragmentType>((type - 1) % 4),
          rest.substr(header, length), end, ""};
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  return ~add_to_crc(0xFFFFFFFFU, bytes);
}

Fragment read_fragment(std::string_view log, std::size_t at, std::uint64_t log_number) {
  std::size_t end = block_end(log, at);
  if (end - at < kWalHeaderBytes && end % kWalBlockBytes == 0) {
    if (end == log.size()) return fragment_of(FragmentKind::kZeros, end);
    at = end;
    end = block_end(log, at);
  }
  if (end - at < kWalHeaderBytes) return fragment_of(FragmentKind::kCut, end);
  // At the end of a whole block a crash cannot be the reason: no fragment leaves its block.
  const bool file_ends_here = end == log.size() && end % kWalBlockBytes != 0;
  return judge(log.substr(at, end - at), at, file_ends_here, log_number);
}

std::optional<std::size_t> find_record(std::string_view log, std::size_t from,
                                       std::uint64_t log_number) {
  for (std::size_t at = from; at + kWalHeaderBytes <= log.size(); ++at) {
    const auto type = static_cast<std::uint8_t>(log[at + 6]);
    if (type == 0 || type > 8 || block_end(log, at) - at < kWalHeaderBytes) continue;
    const Fragment fragment = read_fragment(log, at, log_number);
    if (fragment.kind == FragmentKind::kGood && begins_record(fragment)) return at;
  }
  return std::nullopt;
}

std::optional<std::size_t> end_under_another_header(std::string_view log, std::size_t at) {
  const std::string_view rest = log.substr(at, block_end(log, at) - at);
  if (rest.size() < kWalHeaderBytes) return std::nullopt;
  const std::uint32_t expected = little_endian(rest.substr(0, 4));
  const std::size_t length = little_endian(rest.substr(4, 2));
  if (kWalHeaderBytes + length <= rest.size()) {
    std::string covered(rest.substr(6, 1 + length));
    for (covered[0] = 1; covered[0] <= 4; ++covered[0]) {
      if (masked(crc32c(covered)) == expected) return at + kWalHeaderBytes + length;
    }
  }
  std::uint32_t crc = add_to_crc(0xFFFFFFFFU, rest.substr(6, 1));
  for (std::size_t end = kWalHeaderBytes;; ++end) {
    if (masked(~crc) == expected) return at + end;
    if (end == rest.size()) return std::nullopt;
    crc = add_to_crc(crc, rest.substr(end, 1));
  }
}

}  // namespace muniment
