// Serialized events of every type, as they were first written, and what must be read from them for
// ever. A fixture is never written again: MUNIMENT_WRITE_FIXTURES=1 adds what is missing for new
// types and new fields, in files of their own.
#include <fcntl.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "recorder/log/memory_log.h"
#include "recorder/log/queries.h"
#include "tests/support/event_values.h"
#include "tests/support/every_event.h"
#include "tests/support/read_file.h"

namespace muniment {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

const std::string kFolder = std::string(MUNIMENT_SOURCE_DIR) + "/tests/proto/fixtures";
constexpr const char* kUnknownName = "unknown_body";
constexpr const char* kAdvice = "; MUNIMENT_WRITE_FIXTURES=1 writes what is missing";

using Fixtures = std::map<std::string, std::string>;  // file name without ".bin" -> bytes

Fixtures read_fixtures() {
  Fixtures fixtures;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() != ".bin") continue;
    fixtures[entry.path().stem()] = read_file(entry.path());
  }
  return fixtures;
}

// "run_started-2" -> "run_started"
std::string body_of(const std::string& name) {
  return name.substr(0, name.find('-'));
}

std::string serialize(const v1::Event& event) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream out(&stream);
  out.SetSerializationDeterministic(true);
  event.SerializeToCodedStream(&out);
  out.Trim();
  return bytes;
}

// What full_event() puts anywhere, over all alternatives.
Values expected_values(const FieldDescriptor& body) {
  Values values;
  for (int i = 0; i < alternatives(body); ++i) values.merge(values_of(full_event(body, i)));
  return values;
}

Values values_of_bytes(const std::string& bytes) {
  v1::Event event;
  return event.ParseFromString(bytes) ? values_of(event) : Values();
}

// Where a fixture's event is not what full_event() holds at the same place.
std::vector<std::string> differences(const std::string& bytes, const FieldDescriptor& body) {
  v1::Event event;
  if (!event.ParseFromString(bytes)) return {"does not parse"};
  std::vector<std::string> out;
  const Values expected = expected_values(body);
  for (const auto& [path, value] : values_of(event)) {
    if (path == "event_id") continue;  // differs with the alternative it was written for
    const auto found = expected.find(path);
    if (found == expected.end()) out.push_back(path + " is not in the schema");
    if (found != expected.end() && found->second != value) out.push_back(path + " has changed");
  }
  if (event.body_case() != body.number()) out.push_back("the body is another one");
  return out;
}

void write_new(const std::string& name, const std::string& bytes) {
  const std::string path = kFolder + "/" + name + ".bin";
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  ASSERT_GE(file, 0) << path << " is there already: a fixture is never written again";
  EXPECT_EQ(::write(file, bytes.data(), bytes.size()), std::ssize(bytes));
  ::close(file);
}

// Adds an event for each alternative that holds a place which no fixture of its body has.
void write_missing(const FieldDescriptor& body) {
  std::set<std::string> have;
  std::size_t count = 0;
  for (const auto& [name, bytes] : read_fixtures()) {
    if (body_of(name) != body.name()) continue;
    v1::Event event;
    ASSERT_TRUE(event.ParseFromString(bytes));
    for (const auto& [path, value] : values_of(event)) have.insert(path);
    ++count;
  }
  for (int i = 0; i < alternatives(body); ++i) {
    const v1::Event event = full_event(body, i);
    bool is_new = false;
    for (const auto& [path, value] : values_of(event)) is_new = have.insert(path).second || is_new;
    if (!is_new) continue;
    const std::string suffix = count == 0 ? "" : "-" + std::to_string(count + 1);
    write_new(body.name() + suffix, serialize(event));
    ++count;
  }
}

class Fixture : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (std::getenv("MUNIMENT_WRITE_FIXTURES") == nullptr) return;
    for (const FieldDescriptor* const body : body_fields()) write_missing(*body);
    if (!read_fixtures().contains(kUnknownName))
      write_new(kUnknownName, serialize(unknown_event()));
  }

  const Fixtures fixtures_ = read_fixtures();
};

TEST_F(Fixture, IsThereForEveryBodyAndEveryFieldOfIt) {
  std::map<std::string, std::set<std::string>> have;
  for (const auto& [name, bytes] : fixtures_) {
    v1::Event event;
    ASSERT_TRUE(event.ParseFromString(bytes)) << name;
    for (const auto& [path, value] : values_of(event)) have[body_of(name)].insert(path);
  }
  ASSERT_GT(body_fields().size(), 40U);
  for (const FieldDescriptor* const body : body_fields()) {
    ASSERT_TRUE(have.contains(body->name())) << "no fixture of " << body->name() << kAdvice;
    for (const auto& [path, value] : expected_values(*body)) {
      EXPECT_TRUE(have[body->name()].contains(path))
          << "no fixture of " << body->name() << " sets " << path << kAdvice;
    }
  }
}

TEST_F(Fixture, IsOfABodyThatTheSchemaStillHas) {
  for (const auto& [name, bytes] : fixtures_) {
    if (name == kUnknownName) continue;
    const FieldDescriptor* const body = v1::Event::descriptor()->FindFieldByName(body_of(name));
    ASSERT_NE(body, nullptr) << name;
    EXPECT_NE(body->real_containing_oneof(), nullptr) << name;
  }
}

TEST_F(Fixture, HoldsTheValuesItWasWrittenWith) {
  for (const FieldDescriptor* const body : body_fields()) {
    for (const auto& [name, bytes] : fixtures_) {
      if (body_of(name) != body->name()) continue;
      for (const std::string& difference : differences(bytes, *body)) {
        ADD_FAILURE() << name << ": " << difference;
      }
    }
  }
}

TEST_F(Fixture, SerializesAgainToTheSameBytes) {
  for (const auto& [name, bytes] : fixtures_) {
    v1::Event event;
    ASSERT_TRUE(event.ParseFromString(bytes)) << name;
    EXPECT_EQ(serialize(event), bytes) << name;
  }
}

// Fixtures of one body that were written as it grew carry the same event id: each generation has a
// log of its own.
TEST_F(Fixture, IsKeptByTheLogAsItIsWithEveryOther) {
  struct Generation {
    std::unique_ptr<Store> log = make_memory_log("rs2000.example/muniment");
    std::uint64_t size = 0;
  };
  std::map<std::string, Generation> generations;
  for (const auto& [name, bytes] : fixtures_) {
    auto& [log, sequence] = generations[name.substr(body_of(name).size())];
    const Result<Appended> appended = log->append({{bytes, {}}}, sequence);
    ASSERT_TRUE(appended) << name << ": " << appended.error().message;
    const Result<StoredEvent> stored = read_event(*log, sequence);
    ASSERT_TRUE(stored) << name;
    EXPECT_EQ(stored->bytes, bytes) << name;
    ++sequence;
  }
}

std::string bytes_of(const UnknownFieldSet& fields) {
  std::string bytes;
  fields.SerializeToString(&bytes);
  return bytes;
}

// The event's bytes with another body under the same number.
std::string with_body(const UnknownFieldSet& event, int number, const std::string& body) {
  UnknownFieldSet out;
  for (int i = 0; i < event.field_count(); ++i) {
    if (event.field(i).number() != number) out.AddField(event.field(i));
  }
  out.AddLengthDelimited(number, body);
  return bytes_of(out);
}

// A message's bytes with the numbers `from` and `to` exchanged.
std::string exchanged(const UnknownFieldSet& fields, int from, int to) {
  UnknownFieldSet out;
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& field = fields.field(i);
    int number = field.number();
    if (number == from || number == to) number = from + to - number;
    if (field.type() == UnknownField::TYPE_VARINT) out.AddVarint(number, field.varint());
    if (field.type() == UnknownField::TYPE_LENGTH_DELIMITED) {
      out.AddLengthDelimited(number, field.length_delimited());
    }
  }
  EXPECT_EQ(out.field_count(), fields.field_count());
  return bytes_of(out);
}

// What the fixture of a body must notice when its schema has a field elsewhere, or has two of them
// the other way round. Returns how many were tried.
int exchange_fields(const std::string& fixture, const FieldDescriptor& body) {
  UnknownFieldSet event;
  UnknownFieldSet fields;
  EXPECT_TRUE(event.ParseFromString(fixture));
  for (int i = 0; i < event.field_count(); ++i) {
    if (event.field(i).number() != body.number()) continue;
    EXPECT_TRUE(fields.ParseFromString(event.field(i).length_delimited()));
  }
  const std::string original = with_body(event, body.number(), bytes_of(fields));
  EXPECT_TRUE(differences(original, body).empty()) << body.name();
  int tried = 0;
  for (int i = 0; i < fields.field_count(); ++i) {
    const int from = fields.field(i).number();
    for (const int to : {from + 500, from + 1}) {
      const std::string bytes = with_body(event, body.number(), exchanged(fields, from, to));
      const bool is_refused = !v1::Event().ParseFromString(bytes);
      // Two flags that are both set look the same either way; schema.txt tells them apart.
      const bool is_same = values_of_bytes(bytes) == values_of_bytes(original);
      EXPECT_TRUE(is_refused || is_same || !differences(bytes, body).empty())
          << body.name() << ": " << from << " as " << to;
      tried += is_same ? 0 : 1;
    }
  }
  return tried;
}

TEST_F(Fixture, BetraysAFieldThatGetsAnotherNumber) {
  int tried = 0;
  const google::protobuf::LogSilencer refusals_are_expected;
  for (const FieldDescriptor* const body : body_fields()) {
    tried += exchange_fields(fixtures_.at(body->name()), *body);
  }
  EXPECT_GT(tried, 300);
}

TEST_F(Fixture, OfAnUnknownBodyKeepsItsBytes) {
  const std::string& bytes = fixtures_.at(kUnknownName);
  v1::Event event;
  ASSERT_TRUE(event.ParseFromString(bytes));
  EXPECT_EQ(event.body_case(), v1::Event::BODY_NOT_SET);
  EXPECT_EQ(event.module(), "module");
  const UnknownFieldSet& kept = event.GetReflection()->GetUnknownFields(event);
  ASSERT_EQ(kept.field_count(), 1);
  EXPECT_EQ(kept.field(0).number(), kUnknownBody);
  UnknownFieldSet body;
  ASSERT_TRUE(body.ParseFromString(kept.field(0).length_delimited()));
  ASSERT_EQ(body.field_count(), 4);
  EXPECT_EQ(body.field(0).varint(), 7U);
  EXPECT_EQ(body.field(1).fixed64(), 8U);
  EXPECT_EQ(body.field(2).length_delimited(), "text of a later version");
  EXPECT_EQ(body.field(3).fixed32(), 9U);
}

TEST_F(Fixture, WithAFieldOfALaterVersionKeepsIt) {
  for (const auto& [name, bytes] : fixtures_) {
    v1::Event event;
    ASSERT_TRUE(event.ParseFromString(bytes)) << name;
    event.GetReflection()->MutableUnknownFields(&event)->AddLengthDelimited(1500, "later");
    const std::string extended = serialize(event);
    v1::Event again;
    ASSERT_TRUE(again.ParseFromString(extended)) << name;
    EXPECT_EQ(serialize(again), extended) << name;
    EXPECT_EQ(again.body_case(), event.body_case()) << name;
  }
}

}  // namespace
}  // namespace muniment
