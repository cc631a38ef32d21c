// proto/README.md is the format: its worked examples are recomputed here, its tables compared.
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "recorder/log/inbox_folder.h"
#include "recorder/log/key_codec.h"
#include "recorder/log/memory_log.h"
#include "recorder/log/tables.h"
#include "replay/blob_refs.h"
#include "replay/bundle.h"
#include "replay/bundle_parts.h"
#include "replay/statement.h"
#include "tests/support/every_event.h"
#include "tests/support/log_rows.h"
#include "tests/support/naive_tree.h"
#include "tests/support/read_file.h"

namespace muniment {
namespace {

const std::string& readme() {
  static const std::string text = read_file(std::string(MUNIMENT_SOURCE_DIR) + "/proto/README.md");
  return text;
}

// Hexadecimal digits over several lines.
std::string bytes_in(const std::string& label) {
  std::string digits;
  for (const char c : fenced(readme(), label)) {
    if (c != '\n' && c != ' ') digits += c;
  }
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

TEST(FormatDocument, HasTwoEventsThatAreWhatItSays) {
  v1::Event first;
  first.set_event_id("01900000-0000-7000-8000-000000000001");
  first.mutable_recorded_at()->set_seconds(1767323045);
  first.set_run_id("01900000-0000-7000-8000-0000000000aa");
  v1::Event second = first;
  first.mutable_run_started()->set_purpose("backup");
  second.set_event_id("01900000-0000-7000-8000-000000000002");
  second.mutable_run_finished()->set_outcome(v1::RUN_OUTCOME_OK);
  second.mutable_run_finished()->set_event_count(2);
  EXPECT_EQ(to_hex(first.SerializeAsString()), to_hex(bytes_in("event-0")));
  EXPECT_EQ(to_hex(second.SerializeAsString()), to_hex(bytes_in("event-1")));
}

TEST(FormatDocument, HasTheirLeafHashesAndTheRoot) {
  const std::vector<Digest> leaves = {leaf_hash(bytes_in("event-0")),
                                      leaf_hash(bytes_in("event-1"))};
  EXPECT_EQ(fenced(readme(), "hashes"), "leaf 0  " + to_hex(leaves[0]) + "\nleaf 1  " +
                                            to_hex(leaves[1]) + "\nroot    " +
                                            to_hex(naive_root(leaves, 0, 2)) + "\n");
}

// All rows that the two events make, but for the two values that are given elsewhere.
TEST(FormatDocument, HasTheRowsOfTheseEvents) {
  const auto log = make_memory_log("rs2000.example/muniment");
  ASSERT_TRUE(log->append({{bytes_in("event-0"), {}}}, 0));
  ASSERT_TRUE(log->append({{bytes_in("event-1"), {}}}, 1));
  std::string text;
  for (const LogRow& row : rows_of(*log)) {
    std::string key = to_hex(row.key);
    std::string value = row.value.empty() ? "(empty)" : to_hex(row.value);
    if (row.table == Table::kEvent) value = "(the bytes above)";
    if (row.table == Table::kRun) value = "(a RunState)";
    if (row.table == Table::kMeta) value = "(a StoreState)";
    text += std::string(table_name(row.table)) + " " + key + " -> " + value + "\n";
  }
  EXPECT_EQ(fenced(readme(), "rows"), text);
}

TEST(FormatDocument, NamesEveryBodyWithItsNumber) {
  for (const google::protobuf::FieldDescriptor* const body : body_fields()) {
    const std::string entry = std::to_string(body->number()) + " `" + body->name() + "`";
    EXPECT_NE(readme().find(entry), std::string::npos) << entry;
  }
}

std::string section_of(const std::string& title) {
  const std::size_t begin = readme().find("\n## " + title + "\n");
  EXPECT_NE(begin, std::string::npos) << title;
  if (begin == std::string::npos) return {};
  return readme().substr(begin, readme().find("\n## ", begin + 1) - begin);
}

TEST(FormatDocument, NamesEveryEntryAndLimitOfABundle) {
  const std::string section = section_of("The bundle");
  for (const std::string_view entry : {kIndexEntry, kCheckpointEntry, kKeysEntry, kStatementEntry,
                                       kReportEntry, kReportJsonEntry, kBundleFormat}) {
    EXPECT_NE(section.find("`" + std::string(entry) + "`"), std::string::npos) << entry;
  }
  const google::protobuf::Descriptor& index = *v1::BundleIndex::descriptor();
  for (int i = 0; i < index.field_count(); ++i) {
    EXPECT_NE(section.find("`" + index.field(i)->name() + "`"), std::string::npos)
        << index.field(i)->name();
  }
  EXPECT_NE(section.find("268,435,456"), std::string::npos);
  EXPECT_EQ(kMostBundleBytes, 268'435'456U);
}

// A digest that no blob belongs to is of something outside the log.
TEST(FormatDocument, NamesEveryFieldThatNamesABlob) {
  const std::string section = section_of("Blobs");
  int named = 0;
  for (const google::protobuf::FieldDescriptor* const body : body_fields()) {
    for (const BlobRef& blob : blobs_named_by(full_event(*body))) {
      if (blob.erasable) continue;
      EXPECT_NE(section.find("`" + blob.field + "`"), std::string::npos) << blob.field;
      ++named;
    }
  }
  EXPECT_EQ(named, 9);
}

TEST(FormatDocument, NamesEveryMemberOfThePredicate) {
  const std::string section = section_of("The statement");
  EXPECT_NE(section.find(kStatementPayloadType), std::string::npos);
  EXPECT_NE(section.find(kPredicateType), std::string::npos);
  const google::protobuf::FileDescriptor& file = *v1::RunPredicate::descriptor()->file();
  for (int i = 0; i < file.message_type_count(); ++i) {
    const google::protobuf::Descriptor& type = *file.message_type(i);
    if (type.name().starts_with("InToto")) continue;
    for (int k = 0; k < type.field_count(); ++k) {
      const std::string name = "`" + type.field(k)->json_name() + "`";
      EXPECT_NE(section.find(name), std::string::npos) << type.name() << " " << name;
    }
  }
}

TEST(FormatDocument, NamesEveryTableAndEveryTagOfTheIndex) {
  for (const Table table : kTables) {
    const std::string row = "\n| `" + std::string(table_name(table)) + "` |";
    EXPECT_NE(readme().find(row), std::string::npos) << row;
  }
  for (const IndexTag tag :
       {IndexTag::kById, IndexTag::kByRun, IndexTag::kByModule, IndexTag::kByType,
        IndexTag::kByActor, IndexTag::kByTime, IndexTag::kByStart}) {
    const std::string row = "\n| `" + std::string(1, static_cast<char>(tag)) + "` |";
    EXPECT_NE(readme().find(row), std::string::npos) << row;
  }
}

struct Range {
  unsigned long first;
  unsigned long last;
};

std::vector<Range> unseen_ranges() {
  std::vector<Range> ranges;
  std::istringstream words(fenced(readme(), "unseen"));
  for (std::string word; words >> word;) {
    const std::size_t dash = word.find('-');
    const unsigned long first = std::stoul(word.substr(0, dash), nullptr, 16);
    const bool is_range = dash != std::string::npos;
    ranges.push_back({first, is_range ? std::stoul(word.substr(dash + 1), nullptr, 16) : first});
  }
  return ranges;
}

std::string utf8(unsigned long point) {
  const auto tail = [](unsigned long bits) { return static_cast<char>(0x80U | (bits & 0x3fU)); };
  if (point < 0x80) return {static_cast<char>(point)};
  if (point < 0x800) return {static_cast<char>(0xc0U | (point >> 6U)), tail(point)};
  if (point < 0x10000) {
    return {static_cast<char>(0xe0U | (point >> 12U)), tail(point >> 6U), tail(point)};
  }
  return {static_cast<char>(0xf0U | (point >> 18U)), tail(point >> 12U), tail(point >> 6U),
          tail(point)};
}

std::string escaped_bytes(const std::string& bytes) {
  std::string out;
  for (const char byte : bytes) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "\\x%02X",
                  static_cast<unsigned>(static_cast<unsigned char>(byte)));
    out += text.data();
  }
  return out;
}

// The escapes as the document words them, for one code point.
std::string escaped(unsigned long point, const std::vector<Range>& unseen) {
  const std::string bytes = utf8(point);
  if (bytes == "\\") return "\\\\";
  if (bytes == "\n") return "\\n";
  if (bytes == "\t") return "\\t";
  if (bytes == "\r") return "\\r";
  const bool is_control = point < 0x20 || (point >= 0x7f && point <= 0x9f);
  const bool is_surrogate = point >= 0xd800 && point <= 0xdfff;
  if (is_control || is_surrogate) return escaped_bytes(bytes);
  bool is_unseen = (point & 0xfffeU) == 0xfffeU;
  for (const Range& range : unseen) {
    is_unseen = is_unseen || (point >= range.first && point <= range.last);
  }
  if (!is_unseen) return bytes;
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "\\u{%04lX}", point);
  return text.data();
}

TEST(FormatDocument, EscapesEveryCodePointAsTheProgramDoes) {
  const std::vector<Range> unseen = unseen_ranges();
  ASSERT_GT(unseen.size(), 20U);
  // The planes without characters behave alike: their ends are enough.
  for (unsigned long point = 0; point <= 0x10ffff; ++point) {
    if (point >= 0x40000 && (point & 0xffffU) == 0x20) point |= 0xff00U;
    ASSERT_EQ(inert(utf8(point)), escaped(point, unseen)) << std::hex << point;
  }
  for (unsigned byte = 0x80; byte < 0x100; ++byte) {
    const std::string alone(1, static_cast<char>(byte));
    EXPECT_EQ(inert(alone), escaped_bytes(alone));
  }
}

TEST(FormatDocument, HasTheLimitsOfAnEventAndOfAnInboxItem) {
  EXPECT_NE(readme().find("65,535"), std::string::npos);
  EXPECT_EQ(kMaxEventBytes, 65'535U);
  EXPECT_NE(readme().find("1,048,576"), std::string::npos);
  EXPECT_EQ(kMaxInboxItemBytes, 1'048'576U);
}

}  // namespace
}  // namespace muniment
