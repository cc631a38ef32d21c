// What people and programs read, byte by byte. MUNIMENT_WRITE_GOLDEN=1 writes the files anew.
#include <gtest/gtest.h>

#include <clocale>
#include <cstdlib>
#include <fstream>
#include <map>

#include "recorder/log/memory_log.h"
#include "recorder/log/queries.h"
#include "replay/evidence.h"
#include "replay/query.h"
#include "replay/render_markdown.h"
#include "replay/render_text.h"
#include "tests/support/read_file.h"
#include "tests/support/sample_runs.h"
#include "tests/support/strict_json.h"

namespace muniment {
namespace {

using Documents = std::map<std::string, std::string>;

template <class Message>
std::string as_json(const Message& message, const Resolver& resolve) {
  return to_json(message, {.resolve = resolve, .pretty = true}) + "\n";
}

void add_lists(const LogReader& log, const Resolver& resolve, const SampleRuns& runs,
               Documents& out) {
  const Result<v1::RunList> all = list(log, RunFilter{});
  ASSERT_TRUE(all) << all.error().message;
  out["runs.txt"] = render_runs(*all, resolve);
  RunFilter two;
  two.limit = 2;
  two.outcome = "ok";
  out["runs.json"] = as_json(*list(log, two), resolve);
  const Result<v1::EventList> events = list(log, EventFilter{});
  ASSERT_TRUE(events) << events.error().message;
  out["events.txt"] = render_events(*events);
  EventFilter few;
  few.run_id = runs.rehearsed;
  few.limit = 3;
  out["events.json"] = as_json(*list(log, few), resolve);
  const v1::EventView first = view_of(*read_event(log, 0));
  out["show_event.txt"] = render_event(first, resolve);
}

void add_runs(const LogReader& log, const Resolver& resolve, const SampleRuns& runs,
              Documents& out) {
  for (const auto& [name, run_id] : runs.by_name()) {
    const Result<v1::RunState> run = run_state(log, run_id);
    const Result<v1::Evidence> evidence = make_evidence(log, run_id);
    ASSERT_TRUE(run) << run.error().message;
    ASSERT_TRUE(evidence) << evidence.error().message;
    out["show_" + name + ".txt"] = render_run(*run, resolve);
    out["report_" + name + ".txt"] = render_evidence(*evidence, resolve);
    out["report_" + name + ".md"] = render_markdown(*evidence, resolve);
    out["context_pack_" + name + ".md"] = render_context_pack(*evidence, resolve);
    if (name != "rehearsed" && name != "executed" && name != "failed") continue;
    out["report_" + name + ".json"] = as_json(*evidence, resolve);
    if (name == "executed") out["show_" + name + ".json"] = as_json(*run, resolve);
  }
}

// All documents, from a log that is written for it.
Documents make_documents() {
  const std::unique_ptr<Store> log = make_memory_log("rs2000.example/muniment");
  const SampleRuns runs = write_sample_runs(*log);
  const Resolver resolve = [&log](const v1::Erasable& field) -> std::optional<std::string> {
    const Result<std::optional<std::string>> text = read_erasable(*log, field);
    return text ? *text : std::nullopt;
  };
  Documents out;
  add_lists(*log, resolve, runs, out);
  add_runs(*log, resolve, runs, out);
  return out;
}

TEST(Golden, DocumentsAreWhatTheyWere) {
  const std::string folder = std::string(MUNIMENT_SOURCE_DIR) + "/tests/golden/";
  const bool write = std::getenv("MUNIMENT_WRITE_GOLDEN") != nullptr;
  const Documents documents = make_documents();
  EXPECT_GT(documents.size(), 45U);
  for (const auto& [name, text] : documents) {
    if (write) std::ofstream(folder + name, std::ios::binary) << text;
    EXPECT_EQ(text, read_file(folder + name)) << name;
    const bool readable = !name.ends_with(".json") || parse_json(text);
    EXPECT_TRUE(readable) << name;
  }
}

// Sets a variable of the environment as long as it lives.
class WithZone {
 public:
  explicit WithZone(const char* zone) {
    const char* before = std::getenv("TZ");
    before_ = before == nullptr ? "" : before;
    ::setenv("TZ", zone, 1);
    ::tzset();
  }
  ~WithZone() {
    if (before_.empty()) {
      ::unsetenv("TZ");
    } else {
      ::setenv("TZ", before_.c_str(), 1);
    }
    ::tzset();
  }
  WithZone(const WithZone&) = delete;
  WithZone& operator=(const WithZone&) = delete;

 private:
  std::string before_;
};

TEST(Golden, SameEventsGiveTheSameBytesInAnyZoneAndLocale) {
  const Documents here = make_documents();
  EXPECT_EQ(make_documents(), here) << "a second time";
  for (const char* zone : {"Asia/Kathmandu", "ABC+11:30", "UTC"}) {
    const WithZone elsewhere(zone);
    EXPECT_EQ(make_documents(), here) << zone;
  }
  const std::string before = std::setlocale(LC_ALL, nullptr);
  for (const char* name : {"de_DE.UTF-8", "C.UTF-8", "POSIX"}) {
    if (std::setlocale(LC_ALL, name) == nullptr) continue;  // not installed here
    EXPECT_EQ(make_documents(), here) << name;
  }
  std::setlocale(LC_ALL, before.c_str());
}

}  // namespace
}  // namespace muniment
