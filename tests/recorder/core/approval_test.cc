#include "recorder/core/approval.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/gate_samples.h"
#include "tests/support/generator.h"
#include "tests/support/read_file.h"

namespace muniment {
namespace {

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

// Refused, or read as what it says: in both cases not as what `text` said.
void expect_not_the_same(const std::string& changed, const std::string& text) {
  ASSERT_NE(changed, text);
  const auto read = parse_approval(changed);
  if (!read) {
    ASSERT_EQ(read.error().code, ErrorCode::kInvalid);
    return;
  }
  ASSERT_EQ(format_approval(*read), changed);
}

TEST(Approval, IsTheExampleOfTheDocument) {
  const std::string document = read_file(std::string(MUNIMENT_SOURCE_DIR) + "/proto/GATES.md");
  EXPECT_EQ(fenced(document, "statement"), format_approval(sample_statement()));
}

TEST(Approval, CanBeReadAgainAsItWasWritten) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  for (int i = 0; i < 2000; ++i) {
    const ApprovalStatement said = random_statement(draw);
    const std::string text = format_approval(said);
    const auto read = parse_approval(text);
    ASSERT_TRUE(read) << read.error().message << "\n" << text;
    ASSERT_EQ(format_approval(*read), text);
    ASSERT_EQ(read->not_before_ns, said.not_before_ns);
    ASSERT_EQ(read->expires_ns, said.expires_ns);
    ASSERT_EQ(read->log_key, said.log_key);
    ASSERT_EQ(read->guarded + read->module + read->nonce, said.guarded + said.module + said.nonce);
  }
}

TEST(Approval, MeansSomethingElseWithAnyByteChanged) {
  const std::string text = format_approval(sample_statement());
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string changed = text;
    for (const char byte : other_bytes(text[at])) {
      changed[at] = byte;
      expect_not_the_same(changed, text);
      if (HasFatalFailure()) FAIL() << "byte " << at << " as " << static_cast<int>(byte);
    }
  }
}

TEST(Approval, MeansSomethingElseWithBytesAddedTakenOrMoved) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  for (int i = 0; i < 3000; ++i) {
    const std::string text = format_approval(random_statement(draw));
    std::string changed = text;
    const std::size_t at = draw.below(text.size());
    const std::size_t count = draw.between(1, 40);
    if (draw.one_in(3)) {
      changed.insert(at, text.substr(draw.below(text.size()), count));
    } else if (draw.one_in(2)) {
      changed.erase(at, count);
    } else {
      std::rotate(changed.begin(), changed.begin() + static_cast<std::ptrdiff_t>(at),
                  changed.end());
    }
    if (changed == text) continue;
    expect_not_the_same(changed, text);
    if (HasFatalFailure()) FAIL() << changed;
  }
}

struct Broken {
  const char* from;
  const char* to;
  const char* why;  // the line, and what was expected there
};

constexpr Broken kBroken[] = {
    {"muniment-approval/1", "muniment-approval/2", "line 1 of the statement is to be `muniment-ap"},
    {"muniment-approval/1", "muniment-approval/1\r", "line 1 of the statement"},
    {"guarded backup", "guarded copy", "line 2 of the statement is to be `guarded VALUE`, VALUE"},
    {"guarded backup", "guarded Backup", "backup, exec, restore or policy"},
    {"guarded backup", "guarded policy", "line 4 of the statement is to be `module VALUE`"},
    {"gate F3", "gate ", "the name of a gate"},
    {"gate F3", "gate F3 ", "the name of a gate"},
    {"gate F3", "gate  F3", "the name of a gate"},
    {"gate F3", "gate\tF3", "line 3 of the statement"},
    {"gate F3", "gate -", "line 3 of the statement"},
    {"gate F3", "Gate F3", "line 3 of the statement"},
    {"gate F3\n", "", "line 3 of the statement is to be `gate VALUE`"},
    {"gate F3\n", "gate F3\ngate F3\n", "line 4 of the statement is to be `module VALUE`"},
    {"gate F3\nmodule notes", "module notes\ngate F3", "line 3 of the statement"},
    {"module notes", "module -", "line 4 of the statement"},
    {"module notes", "module no\xc3\xbctes", "line 4 of the statement"},
    {"run 01900000-0000-7000-8000-0000000000aa", "run -", "line 5 of the statement"},
    {"run 0", "run ../0", "line 5 of the statement"},
    {"plan 2708", "plan 2708a", "64 lower-case hexadecimal digits"},
    {"plan 2708", "plan 270", "64 lower-case hexadecimal digits"},
    {"plan 2708ed", "plan 2708ED", "64 lower-case hexadecimal digits"},
    {"plan 2708", "plan 0x08", "64 lower-case hexadecimal digits"},
    {"policy ", "policy -", "line 7 of the statement"},
    {"key rs2000", "key rs 2000", "one visible word"},
    {"key rs2000",
     "key rs\xe2\x80\xae"
     "2000",
     "one visible word"},
    {"origin rs2000", "origin \x1b[2Jrs2000", "one visible word"},
    {"origin rs2000", "origin rs\xff", "one visible word"},
    {"origin rs2000.example/muniment", "origin ", "line 9 of the statement"},
    {"not-before 2026-11-29T17", "not-before 2026-11-29t17", "a time in UTC"},
    {"not-before 2026-11-29T17", "not-before 2026-11-29 17", "a time in UTC"},
    {"not-before 2026-11-29T17:00:00.000000000Z", "not-before 2026-11-29T17:00:00Z",
     "a time in UTC"},
    {"not-before 2026-11-29T17:00:00.000000000Z", "not-before 2026-11-29T17:00:00.0000000000Z",
     "a time in UTC"},
    {"not-before 2026-11-29T17:00:00.000000000Z", "not-before 2026-11-29T17:00:00.00000000+0Z",
     "a time in UTC"},
    {"not-before 2026-11-29T17:00:00.000000000Z", "not-before 2026-11-29T17:00:00.000000000z",
     "a time in UTC"},
    {"not-before 2026-11-29", "not-before 2026-02-29", "a time in UTC"},
    {"not-before 2026-11-29", "not-before 2026-13-29", "a time in UTC"},
    {"not-before 2026-11-29", "not-before 2026-00-29", "a time in UTC"},
    {"not-before 2026-11-29", "not-before 2026-11-00", "a time in UTC"},
    {"not-before 2026-11-29T17", "not-before 2026-11-29T24", "a time in UTC"},
    {"not-before 2026-11-29T17:00", "not-before 2026-11-29T17:60", "a time in UTC"},
    {"not-before 2026-11-29T17:00:00", "not-before 2026-11-29T17:00:60", "a time in UTC"},
    {"not-before 2026", "not-before 1969", "a time in UTC"},
    {"expires 2026", "expires 2262", "a later time in UTC"},
    {"expires 2026-11-30T05", "expires 2026-11-29T05", "a later time in UTC"},
    {"expires 2026-11-30T05", "expires 2026-11-29T17", "a later time in UTC"},
    {"nonce 0011", "nonce 001", "32 lower-case hexadecimal digits"},
    {"nonce 00112233445566778899aa", "nonce 00112233445566778899AA", "32 lower-case"},
    {"reason -", "reason ", "or - for none"},
    {"reason -", "reason because", "or - for none"},
    {"reason -\n", "reason -", "line 13 of the statement"},
    {"reason -\n", "reason -\n\n", "line 14 of the statement is not to be there"},
    {"reason -\n", "reason -\nx", "line 14 of the statement is not to be there"},
};

TEST(Approval, RefusesEverySpellingButItsOwnAndSaysWhere) {
  const std::string text = format_approval(sample_statement());
  for (const Broken& broken : kBroken) {
    const auto read = parse_approval(replaced(text, broken.from, broken.to));
    ASSERT_FALSE(read) << broken.to;
    EXPECT_EQ(read.error().code, ErrorCode::kInvalid);
    EXPECT_NE(read.error().message.find(broken.why), std::string::npos)
        << broken.to << ": " << read.error().message;
    EXPECT_NE(read.error().message.find("approve it anew"), std::string::npos);
  }
}

TEST(Approval, OfAPolicyNamesNeitherModuleNorRun) {
  ApprovalStatement said = sample_statement();
  said.guarded = kPolicyWord;
  EXPECT_FALSE(parse_approval(format_approval(said)));
  said.module = "-";
  EXPECT_FALSE(parse_approval(format_approval(said)));
  said.run_id = "-";
  EXPECT_TRUE(parse_approval(format_approval(said)));
}

TEST(Approval, HoldsForANanosecondAtLeast) {
  ApprovalStatement said = sample_statement();
  said.expires_ns = said.not_before_ns + 1;
  EXPECT_TRUE(parse_approval(format_approval(said)));
  said.expires_ns = said.not_before_ns;
  EXPECT_FALSE(parse_approval(format_approval(said)));
}

TEST(Approval, IsReadUpTo16KiB) {
  ApprovalStatement said = sample_statement();
  said.origin = "o";
  said.origin.append(16384 - format_approval(said).size(), 'x');
  ASSERT_EQ(format_approval(said).size(), 16384U);
  EXPECT_TRUE(parse_approval(format_approval(said)));
  said.origin += 'x';
  const auto read = parse_approval(format_approval(said));
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("16385 bytes; expected at most 16384"), std::string::npos);
}

// Counted day by day, from 1970 on.
TEST(Approval, WritesTheDatesOfTheCalendar) {
  ApprovalStatement said = sample_statement();
  int year = 1970;
  int month = 1;
  int day = 1;
  for (std::int64_t days = 0; year < 2262; ++days) {
    said.expires_ns = days * 86'400 * kGateSecond + 86'399 * kGateSecond + 999'999'999;
    char date[64];
    std::snprintf(date, sizeof date, "expires %04d-%02d-%02dT23:59:59.999999999Z\n", year, month,
                  day);
    const std::string text = format_approval(said);
    ASSERT_NE(text.find(date), std::string::npos) << date << text;
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    const int length = month == 2
                           ? (leap ? 29 : 28)
                           : (month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31);
    if (++day > length) {
      day = 1;
      if (++month > 12) {
        month = 1;
        ++year;
      }
    }
  }
}

}  // namespace
}  // namespace muniment
