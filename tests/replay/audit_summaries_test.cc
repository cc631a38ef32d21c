// Forged run summaries and state rows, field by field; and any single row at random.
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "recorder/core/digest.h"
#include "recorder/log/key_codec.h"
#include "recorder/log/memory_log.h"
#include "replay/audit.h"
#include "tests/support/audited.h"
#include "tests/support/generator.h"
#include "tests/support/rows_log.h"
#include "tests/support/sample_store.h"

namespace muniment {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr std::uint64_t kEvents = 330;

const RowsLog& intact() {
  static const RowsLog rows = [] {
    const std::unique_ptr<Store> log = make_memory_log(kSampleOrigin);
    EXPECT_TRUE(log->append(sample_entries_with_blobs(0, kEvents), {}));
    RowsLog made(*log);
    for (const std::uint64_t size : {std::uint64_t{80}, std::uint64_t{200}, kEvents})
      sign_rows(made, size, {SampleKey()});
    return made;
  }();
  return rows;
}

// Gives one field another value; a field that is set stays set.
void change(Message& message, const FieldDescriptor& field) {
  const auto& r = *message.GetReflection();
  if (field.is_repeated()) {
    if (r.FieldSize(message, &field) > 0) {
      r.RemoveLast(&message, &field);
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      r.AddMessage(&message, &field);
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      r.AddString(&message, &field, "x");
    } else {
      r.AddUInt64(&message, &field, 1);
    }
    return;
  }
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return r.SetBool(&message, &field, !r.GetBool(message, &field));
    case FieldDescriptor::CPPTYPE_ENUM:
      return r.SetEnumValue(&message, &field, r.GetEnumValue(message, &field) == 1 ? 2 : 1);
    case FieldDescriptor::CPPTYPE_STRING:
      return r.SetString(&message, &field, r.GetString(message, &field) + "x");
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return change(*r.MutableMessage(&message, &field), *field.message_type()->field(0));
    case FieldDescriptor::CPPTYPE_UINT32:
      return r.SetUInt32(&message, &field, r.GetUInt32(message, &field) + 1);
    case FieldDescriptor::CPPTYPE_UINT64:
      return r.SetUInt64(&message, &field, r.GetUInt64(message, &field) + 1);
    case FieldDescriptor::CPPTYPE_INT64:
      return r.SetInt64(&message, &field, r.GetInt64(message, &field) + 1);
    case FieldDescriptor::CPPTYPE_INT32:
      return r.SetInt32(&message, &field, r.GetInt32(message, &field) + 1);
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      FAIL() << "the schema has no " << field.cpp_type_name();
  }
}

TEST(AuditOfSummaries, FindsEachForgedFieldAtAnEventOfTheRun) {
  const std::string run_id = sample_run_id(120);  // over: events 120 to 159, notes up to 199
  const auto& type = *v1::RunState::descriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    RowsLog log = intact();
    v1::RunState summary;
    ASSERT_TRUE(summary.ParseFromString(log.table(Table::kRun).at(run_id)));
    change(summary, *type.field(i));
    log.table(Table::kRun).at(run_id) = summary.SerializeAsString();
    const std::vector<FoundRow> findings = findings_of(log);
    ASSERT_EQ(findings.size(), 1U) << type.field(i)->name();
    EXPECT_NE(findings[0].what.find(run_id), std::string::npos) << findings[0].what;
    ASSERT_TRUE(findings[0].sequence) << type.field(i)->name();
    EXPECT_GE(*findings[0].sequence, 120U);
    EXPECT_LT(*findings[0].sequence, 200U);
    EXPECT_FALSE(findings[0].expected.empty());
    EXPECT_FALSE(findings[0].found.empty());
  }
}

TEST(AuditOfSummaries, FindsASummaryThatIsGoneAddedOrOfAnotherRun) {
  RowsLog log = intact();
  log.table(Table::kRun).erase(sample_run_id(40));
  EXPECT_EQ(findings_of(log).at(0).sequence, 40U);

  log = intact();
  log.table(Table::kRun)[sample_run_id(40'000)] = log.table(Table::kRun).at(sample_run_id(0));
  const std::vector<FoundRow> added = findings_of(log);
  ASSERT_FALSE(added.empty());
  EXPECT_EQ(added[0].expected, "9");
  EXPECT_EQ(added[0].found, "10");

  log = intact();
  log.table(Table::kRun).at(sample_run_id(80)) = log.table(Table::kRun).at(sample_run_id(40));
  const std::vector<FoundRow> copied = findings_of(log);
  ASSERT_FALSE(copied.empty());
  ASSERT_TRUE(copied[0].sequence);
  EXPECT_GE(*copied[0].sequence, 80U);

  log = intact();
  log.table(Table::kRun).at(sample_run_id(80)).assign("\xff\xff");
  EXPECT_EQ(findings_of(log).at(0).sequence, 80U);
}

TEST(AuditOfState, FindsEachForgedField) {
  const auto& type = *v1::StoreState::descriptor();
  int changed = 0;
  for (int i = 0; i < type.field_count(); ++i) {
    RowsLog log = intact();
    v1::StoreState state = *log.state();
    change(state, *type.field(i));
    log.table(Table::kMeta).at(std::string(kStateKey)) = state.SerializeAsString();
    EXPECT_FALSE(findings_of(log).empty()) << type.field(i)->name();
    ++changed;
  }
  EXPECT_EQ(changed, 6);
  for (int i = 0; i < intact().state()->tables_size(); ++i) {
    RowsLog log = intact();
    v1::StoreState state = *log.state();
    state.mutable_tables(i)->set_rows(state.tables(i).rows() + 1);
    log.table(Table::kMeta).at(std::string(kStateKey)) = state.SerializeAsString();
    const std::vector<FoundRow> findings = findings_of(log);
    ASSERT_FALSE(findings.empty()) << state.tables(i).table();
    EXPECT_NE(findings[0].what.find(state.tables(i).table()), std::string::npos)
        << findings[0].what;
  }
  RowsLog log = intact();
  log.table(Table::kMeta)["other"] = "x";
  EXPECT_FALSE(findings_of(log).empty());
}

std::string flipped(std::string bytes, Generator& generator) {
  if (bytes.empty()) return "x";
  const std::size_t at = generator.below(bytes.size());
  bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^
                                (1U << static_cast<unsigned>(generator.below(8))));
  return bytes;
}

// One row of any table: dropped, its value or its key changed, or a new one. Says what it did.
std::string damage(RowsLog& log, Generator& generator) {
  const Table table = kTables[generator.below(kTables.size())];
  RowsLog::Rows& rows = log.table(table);
  const std::string name(table_name(table));
  const std::size_t how = rows.empty() ? 3 : generator.below(4);
  if (how == 3) {
    const std::string key = generator.bytes(generator.between(1, 40));
    rows[key] = generator.bytes(generator.below(40));
    return name + ": new row " + to_hex(key);
  }
  const auto row =
      std::next(rows.begin(), static_cast<std::ptrdiff_t>(generator.below(rows.size())));
  const std::string key = row->first;
  if (how == 0) {
    rows.erase(row);
    return name + ": dropped " + to_hex(key);
  }
  if (how == 1) {
    row->second = flipped(row->second, generator);
    return name + ": changed the value of " + to_hex(key);
  }
  const std::string value = row->second;
  rows.erase(row);
  const std::string moved = flipped(key, generator);
  rows[moved] = value;
  return name + ": moved " + to_hex(key) + " to " + to_hex(moved);
}

TEST(Audit, FindsAnyDamageToASingleRow) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const int rounds = std::getenv("MUNIMENT_FULL") != nullptr ? 20'000 : 100;
  std::cout << rounds << " damaged rows, " << generator.seed_line() << "\n";
  for (int i = 0; i < rounds; ++i) {
    RowsLog log = intact();
    const std::string what = damage(log, generator);
    ASSERT_FALSE(findings_of(log).empty()) << what;
  }
}

}  // namespace
}  // namespace muniment
