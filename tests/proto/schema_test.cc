// The durable schema may grow and never change: fixtures/schema.txt has a line for each field and
// each value that ever was. MUNIMENT_WRITE_FIXTURES=1 adds lines for what is new, and changes none.
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "muniment/v1/bundle.pb.h"
#include "muniment/v1/event.pb.h"
#include "muniment/v1/statement.pb.h"
#include "tests/support/read_file.h"

namespace muniment {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

const std::string kLines = std::string(MUNIMENT_SOURCE_DIR) + "/tests/proto/fixtures/schema.txt";

// The files whose messages lie in stored events: event.proto and all that it imports of ours.
std::vector<const FileDescriptor*> durable_files() {
  std::vector<const FileDescriptor*> files = {v1::Event::descriptor()->file()};
  for (int i = 0; i < files[0]->dependency_count(); ++i) {
    if (files[0]->dependency(i)->package() == "muniment.v1") {
      files.push_back(files[0]->dependency(i));
    }
  }
  // What is signed, and what is handed to strangers, is as durable.
  files.push_back(v1::InTotoStatement::descriptor()->file());
  files.push_back(v1::BundleIndex::descriptor()->file());
  return files;
}

std::vector<const FieldDescriptor*> durable_fields() {
  std::vector<const FieldDescriptor*> fields;
  for (const FileDescriptor* const file : durable_files()) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      const Descriptor& message = *file->message_type(i);
      for (int k = 0; k < message.field_count(); ++k) fields.push_back(message.field(k));
    }
  }
  return fields;
}

std::vector<const EnumDescriptor*> durable_enums() {
  std::vector<const EnumDescriptor*> enums;
  for (const FileDescriptor* const file : durable_files()) {
    for (int i = 0; i < file->enum_type_count(); ++i) {
      // Shown says how a field is shown and lies in no event.
      if (file->enum_type(i) != v1::Shown_descriptor()) enums.push_back(file->enum_type(i));
    }
  }
  return enums;
}

std::string type_of(const FieldDescriptor& field) {
  if (field.is_map()) {
    return "map<" + type_of(*field.message_type()->map_key()) + "," +
           type_of(*field.message_type()->map_value()) + ">";
  }
  if (field.message_type() != nullptr) return field.message_type()->full_name();
  if (field.enum_type() != nullptr) return field.enum_type()->full_name();
  return field.type_name();
}

// What of a field must stay for ever: its number, its type, and how its absence is told.
std::string line_of(const FieldDescriptor& field) {
  std::string kind = field.is_repeated() && !field.is_map() ? "repeated" : "single";
  if (field.real_containing_oneof() != nullptr) {
    kind = "oneof:" + field.real_containing_oneof()->name();
  } else if (field.has_optional_keyword()) {
    kind = "optional";
  }
  return field.full_name() + " " + std::to_string(field.number()) + " " + kind + " " +
         type_of(field);
}

// Of a value its number and the word that scripts read.
std::string line_of(const google::protobuf::EnumValueDescriptor& value) {
  return value.type()->full_name() + "." + value.name() + " " + std::to_string(value.number()) +
         " value " + value.options().GetExtension(v1::word);
}

std::vector<std::string> current_lines() {
  std::vector<std::string> lines;
  for (const FieldDescriptor* const field : durable_fields()) lines.push_back(line_of(*field));
  for (const EnumDescriptor* const type : durable_enums()) {
    for (int i = 0; i < type->value_count(); ++i) lines.push_back(line_of(*type->value(i)));
  }
  return lines;
}

std::vector<std::string> recorded_lines() {
  std::vector<std::string> lines;
  std::istringstream text(read_file(kLines));
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

// "muniment.v1.Host.name 1 single string" -> "muniment.v1.Host", "name", "1"
struct Entry {
  std::string owner;
  std::string name;
  std::string number;
};

Entry parse(const std::string& line) {
  std::istringstream words(line);
  std::string full;
  Entry entry;
  words >> full >> entry.number;
  const std::size_t dot = full.rfind('.');
  entry.owner = full.substr(0, dot);
  entry.name = full.substr(dot + 1);
  return entry;
}

// A new field or value under a name or a number that stands in the lines already.
bool is_taken(const std::string& line, const std::vector<std::string>& recorded) {
  const Entry wanted = parse(line);
  for (const std::string& other : recorded) {
    const Entry had = parse(other);
    if (had.owner != wanted.owner) continue;
    if (had.name == wanted.name || had.number == wanted.number) return true;
  }
  return false;
}

class Schema : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (std::getenv("MUNIMENT_WRITE_FIXTURES") == nullptr) return;
    std::ofstream out(kLines, std::ios::app);
    const std::vector<std::string> recorded = recorded_lines();
    for (const std::string& line : current_lines()) {
      if (!is_taken(line, recorded)) out << line << '\n';
    }
  }
};

TEST_F(Schema, StillHasEveryFieldAndValueAsItWas) {
  const std::vector<std::string> lines = current_lines();
  const std::set<std::string> current(lines.begin(), lines.end());
  const std::vector<std::string> recorded = recorded_lines();
  EXPECT_GT(recorded.size(), 250U);
  for (const std::string& line : recorded) {
    EXPECT_TRUE(current.contains(line)) << "gone or changed: " << line;
  }
}

TEST_F(Schema, HasNoFieldThatIsNotWrittenDown) {
  const std::vector<std::string> lines = recorded_lines();
  const std::set<std::string> recorded(lines.begin(), lines.end());
  for (const std::string& line : current_lines()) {
    EXPECT_TRUE(recorded.contains(line))
        << "not in fixtures/schema.txt: " << line
        << (is_taken(line, lines) ? "; its name or number is taken: choose another"
                                  : "; MUNIMENT_WRITE_FIXTURES=1 adds it");
  }
}

TEST_F(Schema, UsesNoNumberTwice) {
  std::set<std::string> names;
  std::map<std::string, std::string> numbers;
  for (const std::string& line : recorded_lines()) {
    const Entry entry = parse(line);
    EXPECT_TRUE(names.insert(entry.owner + "." + entry.name).second) << line;
    const auto [had, is_new] = numbers.emplace(entry.owner + " " + entry.number, line);
    EXPECT_TRUE(is_new) << line << " and " << had->second;
  }
}

TEST_F(Schema, SaysOfAllBytesHowTheyAreShown) {
  int bytes = 0;
  for (const FieldDescriptor* const field : durable_fields()) {
    const v1::Shown shown = field->options().GetExtension(v1::shown);
    const bool is_map_to_bytes = field->is_map() && field->message_type()->map_value()->type() ==
                                                        FieldDescriptor::TYPE_BYTES;
    if (field->type() == FieldDescriptor::TYPE_BYTES || is_map_to_bytes) {
      EXPECT_TRUE(shown == v1::SHOWN_HEX || shown == v1::SHOWN_TEXT) << field->full_name();
      ++bytes;
    } else if (shown == v1::SHOWN_OCTAL) {
      EXPECT_EQ(field->type(), FieldDescriptor::TYPE_UINT32) << field->full_name();
    } else {
      EXPECT_EQ(shown, v1::SHOWN_DEFAULT) << field->full_name() << " is not bytes";
    }
  }
  EXPECT_GT(bytes, 60);
}

// Text that others made is bytes: protobuf writes a bad string and cannot read it back.
TEST_F(Schema, KeepsForeignTextOutOfStrings) {
  // Whoever makes such a field can promise nothing about its bytes.
  const std::set<std::string> foreign = {
      "path",   "paths",  "detail",         "error",      "error_tail", "why",    "why_not",
      "what",   "url",    "reason",         "match",      "source",     "name",   "destination",
      "where",  "before", "working_folder", "statement",  "signature",  "listed", "exclude",
      "folder", "image",  "environment",    "left_behind"};
  // Names that a rule of ours restricts, or that were made valid before.
  const std::set<std::string> ours = {"Host.name", "EngineFacts.name", "Condition.name",
                                      "CheckRecorded.name", "RestoreCheck.name", "Context.why",
                                      "Credential.name",
                                      // Made inert before.
                                      "InTotoSubject.name", "StatedArtifact.path"};
  for (const FieldDescriptor* const field : durable_fields()) {
    if (field->type() != FieldDescriptor::TYPE_STRING) continue;
    const std::string name = field->containing_type()->name() + "." + field->name();
    EXPECT_TRUE(!foreign.contains(field->name()) || ours.contains(name)) << name << " is a string";
  }
}

TEST_F(Schema, HidesWhatPeopleWriteOfThemselves) {
  for (const FieldDescriptor* const field : durable_fields()) {
    const std::string& name = field->name();
    const bool is_personal = name == "claimed" || name == "user_name" || name == "principal" ||
                             name == "ssh_connection" ||
                             (name == "text" && field->containing_type()->name() == "NoteAdded");
    if (!is_personal) continue;
    ASSERT_NE(field->message_type(), nullptr) << field->full_name();
    EXPECT_EQ(field->message_type(), v1::Erasable::descriptor()) << field->full_name();
  }
}

TEST_F(Schema, HasUnspecifiedForTheZeroOfEachEnum) {
  ASSERT_GT(durable_enums().size(), 8U);
  for (const EnumDescriptor* const type : durable_enums()) {
    const google::protobuf::EnumValueDescriptor* const zero = type->FindValueByNumber(0);
    ASSERT_NE(zero, nullptr) << type->full_name();
    EXPECT_TRUE(zero->name().ends_with("_UNSPECIFIED")) << zero->full_name();
  }
}

TEST_F(Schema, HasAWordForEachValueAndNoneTwice) {
  for (const EnumDescriptor* const type : durable_enums()) {
    std::set<std::string> words;
    for (int i = 0; i < type->value_count(); ++i) {
      const std::string word = type->value(i)->options().GetExtension(v1::word);
      EXPECT_FALSE(word.empty()) << type->value(i)->full_name();
      EXPECT_TRUE(words.insert(word).second) << type->value(i)->full_name();
    }
  }
}

TEST_F(Schema, NumbersBodiesByTheirGroup) {
  // The envelope has the numbers that take one byte, except those left for fields to come.
  for (const FieldDescriptor* const field : durable_fields()) {
    if (field->containing_type() != v1::Event::descriptor()) continue;
    const bool is_body = field->real_containing_oneof() != nullptr;
    EXPECT_EQ(is_body, field->number() >= 20) << field->full_name();
  }
}

}  // namespace
}  // namespace muniment
