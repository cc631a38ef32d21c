#include "recorder/core/approval.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <optional>

#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "recorder/core/tlog/lines.h"

namespace muniment {
namespace {

constexpr std::string_view kFirstLine = "muniment-approval/1";
constexpr std::size_t kMostBytes = 16384;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kDay = 86'400;

bool is_guarded(std::string_view word) {
  return word == "backup" || word == "exec" || word == "restore" || word == kPolicyWord;
}

bool is_hex(std::string_view text, std::size_t size) {
  return text.size() == size &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_nonce(std::string_view text) {
  return is_hex(text, 32);
}

bool is_reason(std::string_view text) {
  return text == "-" || is_hex_digest(text);
}

// Names of gates and modules, ids of runs.
bool is_name(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
  return plain && !text.empty() && text.size() <= 255 && text.front() != '-' && text.front() != '.';
}

// Of a log and its keys: what a person sees is what is signed.
bool is_visible(std::string_view text) {
  std::string seen(text);
  std::erase(seen, '\\');
  return !text.empty() && !text.contains(' ') && inert(seen) == seen;
}

std::string format_time(std::int64_t time_ns) {
  std::int64_t seconds = time_ns / kSecond;
  std::int64_t nanos = time_ns % kSecond;
  if (nanos < 0) {
    nanos += kSecond;
    --seconds;
  }
  std::int64_t days = seconds / kDay;
  if (seconds % kDay < 0) --days;
  const long long of_day = seconds - days * kDay;
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  // Room for any year and any number that the compiler may think of.
  std::array<char, 128> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02lld:%02lld:%02lld.%09lldZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), of_day / 3600, of_day / 60 % 60, of_day % 60,
                static_cast<long long>(nanos));
  return text.data();
}

// The digits of `text` from `at`; -1 where one of them is none.
std::int64_t digits(std::string_view text, std::size_t at, std::size_t count) {
  std::int64_t number = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return -1;
    number = number * 10 + (c - '0');
  }
  return number;
}

std::optional<std::int64_t> parse_time(std::string_view text) {
  if (text.size() != std::string_view("2026-11-29T17:00:00.000000000Z").size()) return std::nullopt;
  const std::int64_t year = digits(text, 0, 4);
  const std::int64_t month = digits(text, 5, 2);
  const std::int64_t day = digits(text, 8, 2);
  const std::int64_t hour = digits(text, 11, 2);
  const std::int64_t minute = digits(text, 14, 2);
  const std::int64_t second = digits(text, 17, 2);
  const std::int64_t nanos = digits(text, 20, 9);
  if (std::min({year, month, day, hour, minute, second, nanos}) < 0) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  // Beyond 2261 nanoseconds do not fit.
  if (!date.ok() || year < 1970 || year > 2261) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t time_ns = (days * kDay + hour * 3600 + minute * 60 + second) * kSecond + nanos;
  // An hour 24 or a second 60 is another spelling of another moment.
  if (format_time(time_ns) != text) return std::nullopt;
  return time_ns;
}

using TextMember = std::string ApprovalStatement::*;
using TimeMember = std::int64_t ApprovalStatement::*;

template <TextMember kMember, bool (*kHolds)(std::string_view)>
bool take_text(std::string_view value, ApprovalStatement& out) {
  out.*kMember = value;
  return kHolds(value);
}

// "-" for a change of the policy, and for nothing else.
template <TextMember kMember>
bool take_subject(std::string_view value, ApprovalStatement& out) {
  out.*kMember = value;
  return out.guarded == kPolicyWord ? value == "-" : is_name(value);
}

template <TimeMember kMember>
bool take_time(std::string_view value, ApprovalStatement& out) {
  const std::optional<std::int64_t> time_ns = parse_time(value);
  out.*kMember = time_ns.value_or(0);
  return time_ns.has_value();
}

bool take_expires(std::string_view value, ApprovalStatement& out) {
  return take_time<&ApprovalStatement::expires_ns>(value, out) &&
         out.not_before_ns < out.expires_ns;
}

template <TextMember kMember>
std::string show_text(const ApprovalStatement& statement) {
  return statement.*kMember;
}

template <TimeMember kMember>
std::string show_time(const ApprovalStatement& statement) {
  return format_time(statement.*kMember);
}

struct Row {
  std::string_view key;
  std::string_view form;  // of the value, for messages
  bool (*take)(std::string_view value, ApprovalStatement& out);
  std::string (*show)(const ApprovalStatement& statement);
};

using A = ApprovalStatement;
constexpr std::string_view kDigest = "64 lower-case hexadecimal digits";
constexpr std::string_view kVisible = "one visible word";
constexpr std::string_view kTime = "a time in UTC such as 2026-11-29T17:00:00.000000000Z";
constexpr std::array<Row, 12> kRows = {{
    {"guarded", "backup, exec, restore or policy", take_text<&A::guarded, is_guarded>,
     show_text<&A::guarded>},
    {"gate", "the name of a gate", take_text<&A::gate, is_name>, show_text<&A::gate>},
    {"module", "the name of a module, or - for a policy alone", take_subject<&A::module>,
     show_text<&A::module>},
    {"run", "the id of a run, or - for a policy alone", take_subject<&A::run_id>,
     show_text<&A::run_id>},
    {"plan", kDigest, take_text<&A::plan_digest, is_hex_digest>, show_text<&A::plan_digest>},
    {"policy", kDigest, take_text<&A::policy_digest, is_hex_digest>, show_text<&A::policy_digest>},
    {"key", kVisible, take_text<&A::log_key, is_visible>, show_text<&A::log_key>},
    {"origin", kVisible, take_text<&A::origin, is_visible>, show_text<&A::origin>},
    {"not-before", kTime, take_time<&A::not_before_ns>, show_time<&A::not_before_ns>},
    {"expires", "a later time in UTC such as 2026-11-29T17:00:00.000000000Z", take_expires,
     show_time<&A::expires_ns>},
    {"nonce", "32 lower-case hexadecimal digits", take_text<&A::nonce, is_nonce>,
     show_text<&A::nonce>},
    {"reason", "64 lower-case hexadecimal digits, or - for none", take_text<&A::reason, is_reason>,
     show_text<&A::reason>},
}};

Result<ApprovalStatement> read_rows(Lines lines) {
  const std::optional<std::string_view> first = lines.next();
  if (first != kFirstLine) {
    const std::string why = "is to be `" + std::string(kFirstLine) + "`";
    return first ? lines.wrong(why) : lines.missing(why);
  }
  ApprovalStatement out;
  for (const Row& row : kRows) {
    const std::string why =
        "is to be `" + std::string(row.key) + " VALUE`, VALUE being " + std::string(row.form);
    const std::optional<std::string_view> line = lines.next();
    if (!line) return lines.missing(why);
    const bool keyed = line->starts_with(row.key) && line->substr(row.key.size()).starts_with(' ');
    if (!keyed || !row.take(line->substr(row.key.size() + 1), out)) {
      return lines.wrong(why + ", not `" + inert_short(*line, 100) + "`");
    }
  }
  if (!lines.rest().empty()) return lines.missing("is not to be there: nothing follows the reason");
  return out;
}

}  // namespace

std::string format_approval(const ApprovalStatement& statement) {
  std::string out = std::string(kFirstLine) + "\n";
  for (const Row& row : kRows) out += std::string(row.key) + " " + row.show(statement) + "\n";
  return out;
}

Result<ApprovalStatement> parse_approval(std::string_view text) {
  if (text.size() > kMostBytes) {
    return fail(ErrorCode::kInvalid, "the statement has " + std::to_string(text.size()) +
                                         " bytes; expected at most " + std::to_string(kMostBytes));
  }
  Result<ApprovalStatement> out = read_rows(Lines("the statement", text));
  if (!out) out.error().message += "; approve it anew, and sign the text as it was written";
  return out;
}

}  // namespace muniment
