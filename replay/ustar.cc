#include "replay/ustar.h"

#include <array>
#include <cstdio>
#include <optional>

#include "recorder/core/check.h"

namespace muniment {
namespace {

constexpr std::size_t kNameBytes = 100;
constexpr std::size_t kSizeAt = 124;
constexpr std::size_t kSizeDigits = 11;
constexpr std::size_t kChecksumAt = 148;
constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kEndBytes = 2 * kUstarBlock;

std::string octal(std::uint64_t value, int digits) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "%0*llo", digits, static_cast<unsigned long long>(value));
  return text.data();
}

std::string header_of(std::string_view name, std::uint64_t size) {
  std::string header(kUstarBlock, '\0');
  const auto put = [&header](std::size_t at, std::string_view text) {
    header.replace(at, text.size(), text);
  };
  put(0, name);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(kSizeAt, octal(size, kSizeDigits));
  put(136, "00000000000");
  put(kChecksumAt, std::string(kChecksumBytes, ' '));
  put(156, "0");
  put(257, "ustar");
  put(263, "00");
  put(329, "0000000");
  put(337, "0000000");
  std::uint64_t sum = 0;
  for (const char byte : header) sum += static_cast<unsigned char>(byte);
  put(kChecksumAt, octal(sum, 6) + '\0');
  return header;
}

std::size_t padding_of(std::uint64_t size) {
  return static_cast<std::size_t>((kUstarBlock - size % kUstarBlock) % kUstarBlock);
}

bool is_zero(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

std::optional<std::uint64_t> size_in(std::string_view header) {
  std::uint64_t size = 0;
  for (const char digit : header.substr(kSizeAt, kSizeDigits)) {
    if (digit < '0' || digit > '7') return std::nullopt;
    size = size * 8 + static_cast<std::uint64_t>(digit - '0');
  }
  return size;
}

std::unexpected<Error> bad(std::size_t at, const char* what, ErrorCode code = ErrorCode::kCorrupt) {
  return fail(code, "byte " + std::to_string(at) + " of the archive " + what);
}

std::unexpected<Error> cut(std::size_t at, const char* what) {
  return bad(at, what, ErrorCode::kNotFound);
}

// The entry whose header stands at `at`; `at` moves behind its padding.
Result<UstarEntry> read_entry(std::string_view archive, std::size_t& at) {
  const std::size_t begin = at;
  const std::string_view header = archive.substr(at, kUstarBlock);
  if (header.size() < kUstarBlock) return cut(begin, "begins a header that is cut");
  const std::string_view name = header.substr(0, header.substr(0, kNameBytes).find('\0'));
  const std::optional<std::uint64_t> size = size_in(header);
  if (name.empty() || name.size() >= kNameBytes || !size || header != header_of(name, *size)) {
    return bad(begin, "begins a header that no bundle has");
  }
  at += kUstarBlock;
  if (archive.size() - at < *size) return cut(begin, "begins an entry that is cut");
  const auto length = static_cast<std::size_t>(*size);
  const UstarEntry entry{.name = name, .bytes = archive.substr(at, length)};
  at += length;
  const std::string_view padding = archive.substr(at, padding_of(length));
  if (padding.size() < padding_of(length)) return cut(begin, "begins an entry that is cut");
  if (!is_zero(padding)) return bad(at, "begins padding that is not zero");
  at += padding.size();
  return entry;
}

}  // namespace

void UstarWriter::add(std::string_view name, std::string_view bytes) {
  check(!name.empty() && name.size() < kNameBytes && name.find('\0') == std::string_view::npos,
        "the name of an entry has 1 to 99 bytes");
  check(bytes.size() < std::uint64_t{1} << 33U, "an entry has fewer than 2^33 bytes");
  out_ += header_of(name, bytes.size());
  out_ += bytes;
  out_.append(padding_of(bytes.size()), '\0');
}

void UstarWriter::finish() {
  out_.append(kEndBytes, '\0');
}

Result<std::vector<UstarEntry>> parse_ustar(std::string_view archive) {
  std::vector<UstarEntry> entries;
  std::size_t at = 0;
  while (!is_zero(archive.substr(at))) {
    Result<UstarEntry> entry = read_entry(archive, at);
    if (!entry && entries.empty()) return fail(ErrorCode::kInvalid, entry.error().message);
    if (!entry) return pass(entry);
    entries.push_back(*entry);
  }
  if (entries.empty()) return fail(ErrorCode::kInvalid, "the archive is empty");
  if (archive.size() - at < kEndBytes) return cut(at, "begins an end that is cut");
  if (archive.size() - at > kEndBytes) return bad(at + kEndBytes, "is behind the archive's end");
  return entries;
}

}  // namespace muniment
