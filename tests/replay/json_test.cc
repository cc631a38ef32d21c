#include "replay/json.h"

#include <google/protobuf/duration.pb.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <limits>
#include <set>

#include "muniment/v1/event.pb.h"
#include "muniment/v1/report.pb.h"
#include "recorder/core/digest.h"
#include "recorder/core/notation.h"
#include "recorder/core/text.h"
#include "tests/support/every_event.h"
#include "tests/support/generator.h"
#include "tests/support/poison.h"
#include "tests/support/strict_json.h"

namespace muniment {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Kind = Json::Kind;

const JsonOptions kPlain{.resolve = nullptr, .pretty = false};

// What the contract says of one value, from the schema alone.
Json expected_value(const Message& message, const FieldDescriptor& field, int i) {
  const auto& r = *message.GetReflection();
  const bool many = i >= 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT64:
      return {Kind::kNumber, std::to_string(r.GetInt64(message, &field)), {}, {}};
    case FieldDescriptor::CPPTYPE_UINT64:
      return {Kind::kNumber,
              std::to_string(many ? r.GetRepeatedUInt64(message, &field, i)
                                  : r.GetUInt64(message, &field)),
              {},
              {}};
    case FieldDescriptor::CPPTYPE_INT32:
      return {Kind::kNumber, std::to_string(r.GetInt32(message, &field)), {}, {}};
    case FieldDescriptor::CPPTYPE_UINT32: {
      const std::uint32_t value = r.GetUInt32(message, &field);
      if (field.options().GetExtension(v1::shown) != v1::SHOWN_OCTAL) {
        return {Kind::kNumber, std::to_string(value), {}, {}};
      }
      char text[16];
      std::snprintf(text, sizeof text, "%04o", value & 07777U);
      return {Kind::kString, text, {}, {}};
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      return {Kind::kBool, r.GetBool(message, &field) ? "true" : "false", {}, {}};
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto* value = r.GetEnum(message, &field);
      const std::string& word = value->options().GetExtension(v1::word);
      return {Kind::kString, word.empty() ? value->name() : word, {}, {}};
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string value =
          many ? r.GetRepeatedString(message, &field, i) : r.GetString(message, &field);
      const bool hex = field.options().GetExtension(v1::shown) == v1::SHOWN_HEX;
      return {Kind::kString, hex ? to_hex(value) : valid_utf8(value), {}, {}};
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      break;
  }
  return {};
}

void expect_shown(const Message& message, const Json& json, const std::string& path);

void expect_element(const Message& message, const FieldDescriptor& field, int i, const Json& json,
                    const std::string& path) {
  const auto& r = *message.GetReflection();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    return expect_shown(
        i >= 0 ? r.GetRepeatedMessage(message, &field, i) : r.GetMessage(message, &field), json,
        path);
  }
  const Json expected = expected_value(message, field, i);
  EXPECT_EQ(json.kind, expected.kind) << path;
  EXPECT_EQ(json.text, expected.text) << path;
}

bool is_shown_as_a_word(const Message& message) {
  const std::string& name = message.GetDescriptor()->full_name();
  return name.starts_with("google.protobuf.") || name == "muniment.v1.Erasable";
}

// Each field that is set is there by its name and in the contract's form.
void expect_shown(const Message& message, const Json& json, const std::string& path) {
  if (is_shown_as_a_word(message)) {
    EXPECT_TRUE(json.members.empty()) << path;
    return;
  }
  ASSERT_EQ(json.kind, Kind::kObject) << path;
  const auto& r = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  r.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const std::string at = path + "." + field->name();
    const Json* value = json.find(field->name());
    ASSERT_NE(value, nullptr) << at;
    if (field->is_map()) {
      EXPECT_EQ(static_cast<int>(value->members.size()), r.FieldSize(message, field)) << at;
    } else if (field->is_repeated()) {
      ASSERT_EQ(static_cast<int>(value->items.size()), r.FieldSize(message, field)) << at;
      for (int i = 0; i < r.FieldSize(message, field); ++i) {
        expect_element(message, *field, i, value->items[static_cast<std::size_t>(i)], at);
      }
    } else {
      expect_element(message, *field, -1, *value, at);
    }
  }
}

TEST(Json, ShowsEveryFieldOfEveryEventInTheContractsForm) {
  for (const FieldDescriptor* body : body_fields()) {
    for (int i = 0; i < alternatives(*body); ++i) {
      const v1::Event event = full_event(*body, i);
      const std::optional<Json> json = parse_json(to_json(event, kPlain));
      ASSERT_TRUE(json) << body->name();
      expect_shown(event, *json, "event");
    }
  }
}

TEST(Json, IsValidWhateverTextIsInIt) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (const FieldDescriptor* body : body_fields()) {
    for (const std::string& text :
         {hostile_text(), valid_utf8(generator.bytes(300)), std::string()}) {
      v1::Event event = full_event(*body);
      poison(event, text);
      for (const bool pretty : {true, false}) {
        const std::string out = to_json(event, {.resolve = nullptr, .pretty = pretty});
        const std::optional<Json> json = parse_json(out);
        ASSERT_TRUE(json) << out;
        EXPECT_TRUE(is_inert(out)) << "a terminal would obey it: " << inert_short(out, 2000);
        if (!text.empty()) expect_shown(event, *json, "event");
      }
    }
  }
}

TEST(Json, IsTheSameEveryTimeAlsoWhereAMapHasNoOrder) {
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i) {
    v1::ContainerObserved body;
    for (int k = 0; k < 20; ++k) {
      const int key = i % 2 == 0 ? k : 19 - k;
      (*body.mutable_muniment_labels())["muniment.label" + std::to_string(key)] = "v\xff";
    }
    (*body.mutable_muniment_labels())[""] = "no name";
    seen.insert(to_json(body, kPlain));
  }
  ASSERT_EQ(seen.size(), 1U);
  ASSERT_TRUE(parse_json(*seen.begin())) << *seen.begin();
  EXPECT_NE(seen.begin()->find(R"({"":"no name","muniment.label0":"v\\xFF")"), std::string::npos)
      << *seen.begin();
}

// The program that people read it with agrees that it is JSON, and on the numbers.
TEST(Json, IsReadByJq) {
  v1::RunState run;
  run.set_first_sequence(9'007'199'254'740'991);  // the largest that jq holds exactly
  run.set_reason("\x1b[31m\"quoted\"\n\xff");
  run.set_mode(v1::MODE_DRY_RUN);
  const std::string file = testing::TempDir() + "/json_test_is_read_by_jq.json";
  FILE* out = std::fopen(file.c_str(), "w");
  ASSERT_NE(out, nullptr);
  const std::string text = to_json(run, {.resolve = nullptr, .pretty = true});
  std::fwrite(text.data(), 1, text.size(), out);
  std::fclose(out);
  FILE* jq = ::popen(("jq -c '[.first_sequence, .reason, .mode, .finished_at]' " + file).c_str(),
                     "r");  // NOLINT(bugprone-command-processor): a fixed command
  ASSERT_NE(jq, nullptr);
  char line[256] = {};
  EXPECT_NE(std::fgets(line, sizeof line, jq), nullptr);
  EXPECT_EQ(::pclose(jq), 0);
  std::remove(file.c_str());
  EXPECT_STREQ(line,
               "[9007199254740991,\"\\u001b[31m\\\"quoted\\\"\\n\\\\xFF\",\"dry-run\",null]\n");
}

Json member(const Message& message, std::string_view name) {
  const std::optional<Json> json = parse_json(to_json(message, kPlain));
  EXPECT_TRUE(json);
  const Json* found = json ? json->find(name) : nullptr;
  EXPECT_NE(found, nullptr) << name;
  return found == nullptr ? Json{} : *found;
}

TEST(Json, WritesIntegersOf64BitsAsNumbers) {
  v1::EventView view;
  view.set_sequence(std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(member(view, "sequence").kind, Kind::kNumber);
  EXPECT_EQ(member(view, "sequence").text, "18446744073709551615");
  v1::ClockStepped stepped;
  stepped.set_step_ns(std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(member(stepped, "step_ns").text, "-9223372036854775808");
  EXPECT_EQ(member(stepped, "step_ns").kind, Kind::kNumber);
}

TEST(Json, WritesWhatIsAbsentAsNull) {
  v1::RunState run;
  for (const char* name : {"run_id", "started_at", "finished_at", "plan_digest", "host",
                           "space_needed_bytes", "enforcement", "follows_run", "actor"}) {
    EXPECT_TRUE(member(run, name).is_null()) << name;
  }
  for (const char* name : {"modules", "steps", "artifacts"}) {
    EXPECT_EQ(member(run, name).kind, Kind::kArray) << name;
  }
  EXPECT_TRUE(member(v1::RunList(), "next").is_null());
  EXPECT_TRUE(member(v1::EventList(), "next").is_null());
  EXPECT_TRUE(member(v1::ArtifactState(), "sha256").is_null());
  EXPECT_TRUE(member(v1::StepState(), "bytes").is_null()) << "unknown is never 0";
  v1::StepState none;
  none.set_bytes(0);
  EXPECT_EQ(member(none, "bytes").text, "0");
}

TEST(Json, SpellsModesOutcomesAndVerdictsAsTheContractDoes) {
  const std::pair<v1::Mode, const char*> modes[] = {{v1::MODE_DRY_RUN, "dry-run"},
                                                    {v1::MODE_EXECUTION, "execution"},
                                                    {v1::MODE_OBSERVATION, "observation"}};
  v1::RunState run;
  for (const auto& [mode, word] : modes) {
    run.set_mode(mode);
    EXPECT_EQ(member(run, "mode").text, word);
  }
  const std::pair<v1::RunOutcome, const char*> outcomes[] = {
      {v1::RUN_OUTCOME_OK, "ok"},
      {v1::RUN_OUTCOME_FAILED, "failed"},
      {v1::RUN_OUTCOME_REFUSED, "refused"},
      {v1::RUN_OUTCOME_INTERRUPTED, "interrupted"},
      {v1::RUN_OUTCOME_ABANDONED, "abandoned"},
      {v1::RUN_OUTCOME_RUNNING, "running"}};
  for (const auto& [outcome, word] : outcomes) {
    run.set_outcome(outcome);
    EXPECT_EQ(member(run, "outcome").text, word);
  }
  v1::CheckState check;
  check.set_verdict(v1::VERDICT_MISSING);
  EXPECT_EQ(member(check, "verdict").text, "missing");
  v1::RunState newer;
  newer.set_mode(static_cast<v1::Mode>(77));
  EXPECT_EQ(member(newer, "mode").kind, Kind::kString) << "a mode of a later version";
}

TEST(Json, WritesDigestsInLowerCaseHexAndModesInOctal) {
  v1::ArtifactState row;
  row.set_sha256("\xAB\xCD\x01");
  row.set_mode(0100600);
  EXPECT_EQ(member(row, "sha256").text, "abcd01");
  EXPECT_EQ(member(row, "mode").text, "0600");
}

TEST(Json, WritesTimesAsRfc3339InUtc) {
  const auto text = [](std::int64_t seconds, std::int32_t nanos) {
    google::protobuf::Timestamp time;
    time.set_seconds(seconds);
    time.set_nanos(nanos);
    return rfc3339(time);
  };
  EXPECT_EQ(text(0, 0), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(text(-1, 999'999'999), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(text(1'795'348'020, 5), "2026-11-22T11:47:00.000000005Z");
  EXPECT_EQ(text(951'782'400, 0), "2000-02-29T00:00:00.000000000Z");
  EXPECT_EQ(text(-62'135'596'800, 0), "0001-01-01T00:00:00.000000000Z");
  EXPECT_EQ(text(253'402'300'799, 0), "9999-12-31T23:59:59.000000000Z");
  for (const std::int64_t seconds :
       {-62'135'596'801, 253'402'300'800, std::numeric_limits<std::int64_t>::max(),
        std::numeric_limits<std::int64_t>::min()}) {
    EXPECT_EQ(text(seconds, 0), "unknown");
  }
  EXPECT_EQ(text(0, -1), "unknown");
  EXPECT_EQ(text(0, 1'000'000'000), "unknown");
}

TEST(Json, WritesDurationsAsSeconds) {
  const auto text = [](std::int64_t seconds, std::int32_t nanos) {
    v1::StepSettled body;
    body.mutable_duration()->set_seconds(seconds);
    body.mutable_duration()->set_nanos(nanos);
    const Json json = member(body, "duration");
    return json.is_null() ? "null" : json.text;
  };
  EXPECT_EQ(text(1, 500'000'000), "1.500000000");
  EXPECT_EQ(text(-1, -500'000'000), "-1.500000000");
  EXPECT_EQ(text(0, -1), "-0.000000001");
  EXPECT_EQ(text(std::numeric_limits<std::int64_t>::min(), 0), "-9223372036854775808.000000000");
  EXPECT_EQ(text(1, -1), "null");
  EXPECT_EQ(text(-1, 1), "null");
  EXPECT_EQ(text(0, std::numeric_limits<std::int32_t>::min()), "null");
}

TEST(Json, ShowsAnErasableByItsTextOrNotAtAll) {
  v1::Note note;
  note.mutable_text()->set_commitment("\x01\x02");
  EXPECT_EQ(member(note, "text").text, "sha256:0102");
  const auto shown = [&](std::optional<std::string> text) {
    const JsonOptions options{.resolve = [&](const v1::Erasable&) { return text; },
                              .pretty = false};
    const std::optional<Json> json = parse_json(to_json(note, options));
    return *json->find("text");
  };
  EXPECT_EQ(shown("anna \xff").text, "anna \\xFF");
  EXPECT_TRUE(shown(std::nullopt).is_null()) << "erased";
}

TEST(Json, QuotesWhatATerminalWouldObeyOrHide) {
  EXPECT_EQ(json_quote("a\"\\\n\t\x7f"), R"("a\"\\\n\u0009\u007f")");
  EXPECT_EQ(json_quote("\xc2\x9b\xe2\x80\xae"), R"("\u009b\u202e")");
  EXPECT_EQ(json_quote("\xf3\xa0\x80\x81"), R"("\udb40\udc01")");
  EXPECT_EQ(json_quote("gr\xc3\xbc\xc3\x9f \xf0\x9f\x93\xbc"),
            "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x93\xbc\"");
}

TEST(Json, IsIndentedByTwoOrOnOneLine) {
  v1::Covers covers;
  covers.set_first(0);
  EXPECT_EQ(to_json(covers, {.resolve = nullptr, .pretty = true}),
            "{\n  \"first\": 0,\n  \"last\": null\n}");
  EXPECT_EQ(to_json(covers, kPlain), R"({"first":0,"last":null})");
  EXPECT_EQ(to_json(v1::EventList(), {.resolve = nullptr, .pretty = true}),
            "{\n  \"events\": [],\n  \"next\": null,\n  \"covers\": null\n}");
}

}  // namespace
}  // namespace muniment
