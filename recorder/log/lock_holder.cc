#include "recorder/log/lock_holder.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <optional>
#include <sstream>
#include <vector>

#include "recorder/core/text.h"

namespace muniment {
namespace {

constexpr std::size_t kMostCommandBytes = 4'000;
constexpr std::size_t kShownCommandBytes = 200;
constexpr std::string_view kUnseen = "a process that cannot be seen from here";

struct Holder {
  std::uint64_t pid = 0;
  std::uint64_t start_ticks = 0;
  std::string command;
};

// The number behind `label` at the front of `text`, which is cut behind its line.
std::optional<std::uint64_t> take_number(std::string_view& text, std::string_view label) {
  if (!text.starts_with(label)) return std::nullopt;
  text.remove_prefix(label.size());
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto digits = static_cast<std::size_t>(parsed.ptr - text.data());
  if (parsed.ec != std::errc{} || !text.substr(digits).starts_with('\n')) return std::nullopt;
  text.remove_prefix(digits + 1);
  return number;
}

std::optional<Holder> parse_holder(std::string_view text) {
  constexpr std::string_view kCommand = "command ";
  const auto pid = take_number(text, "pid ");
  if (!pid) return std::nullopt;
  const auto ticks = take_number(text, "start_ticks ");
  // The last line feed is written last: without it the text is not whole.
  if (!ticks || !text.starts_with(kCommand) || !text.ends_with('\n')) return std::nullopt;
  text.remove_prefix(kCommand.size());
  text.remove_suffix(1);
  return Holder{*pid, *ticks, std::string(text)};
}

std::optional<std::uint64_t> start_ticks(std::uint64_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(stat, line)) return std::nullopt;
  // The second field is the program's name in parentheses, and may hold blanks and parentheses.
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  std::string field;
  for (int number = 3; number <= 21; ++number) fields >> field;
  std::uint64_t ticks = 0;
  if (!(fields >> ticks)) return std::nullopt;
  return ticks;
}

// When a process started, in UTC, from the second at which the machine did.
std::optional<std::string> time_of(std::uint64_t ticks) {
  std::ifstream stat("/proc/stat");
  const auto ticks_per_second = ::sysconf(_SC_CLK_TCK);
  std::string word;
  while (stat >> word && word != "btime") stat.ignore(1 << 20, '\n');
  std::int64_t booted_at = 0;
  if (!(stat >> booted_at) || ticks_per_second <= 0) return std::nullopt;
  const std::time_t started_at =
      booted_at + static_cast<std::int64_t>(ticks / static_cast<std::uint64_t>(ticks_per_second));
  std::tm parts{};
  std::array<char, 32> text{};
  if (::gmtime_r(&started_at, &parts) == nullptr) return std::nullopt;
  if (std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
    return std::nullopt;
  return text.data();
}

// The pids that hold an flock of a kind ("READ", "WRITE") on the file, as the kernel lists them:
//   1: FLOCK  ADVISORY  WRITE 27756 fe:00:10952866 0 EOF
std::vector<std::string> pids_in_kernel(int file, std::string_view kind) {
  struct stat facts{};
  if (::fstat(file, &facts) != 0) return {};
  std::array<char, 64> where{};
  std::snprintf(where.data(), where.size(), "%02x:%02x:%llu", major(facts.st_dev),
                minor(facts.st_dev), static_cast<unsigned long long>(facts.st_ino));
  std::vector<std::string> pids;
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream fields(line);
    std::string number, type, advisory, access, pid, place;
    fields >> number >> type >> advisory >> access >> pid >> place;
    const bool seen = pid != "0" && pid != "-1";
    if (type == "FLOCK" && access == kind && place == where.data() && seen) pids.push_back(pid);
  }
  return pids;
}

}  // namespace

std::string describe_this_process(std::string_view command) {
  const auto pid = static_cast<std::uint64_t>(::getpid());
  return "pid " + std::to_string(pid) + "\nstart_ticks " +
         std::to_string(start_ticks(pid).value_or(0)) + "\ncommand " +
         std::string(command.substr(0, kMostCommandBytes)) + "\n";
}

std::string name_writer(int file) {
  std::array<char, 8'192> buffer{};
  const ssize_t got = ::pread(file, buffer.data(), buffer.size(), 0);
  const auto holder =
      parse_holder({buffer.data(), got > 0 ? static_cast<std::size_t>(got) : std::size_t{0}});
  if (!holder || start_ticks(holder->pid) != holder->start_ticks) {
    const std::vector<std::string> pids = pids_in_kernel(file, "WRITE");
    return pids.empty() ? std::string(kUnseen) : "pid " + pids.front();
  }
  const auto since = time_of(holder->start_ticks);
  return "pid " + std::to_string(holder->pid) + " (" +
         inert_short(holder->command, kShownCommandBytes) + ")" + (since ? " since " + *since : "");
}

std::string name_readers(int file) {
  const std::vector<std::string> pids = pids_in_kernel(file, "READ");
  if (pids.empty()) return std::string(kUnseen);
  const std::size_t others = pids.size() - 1;
  if (others == 0) return "pid " + pids.front();
  return "pid " + pids.front() + " and " + std::to_string(others) +
         (others == 1 ? " other" : " others");
}

}  // namespace muniment
