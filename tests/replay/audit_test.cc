#include "replay/audit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "recorder/core/digest.h"
#include "recorder/log/key_codec.h"
#include "recorder/log/memory_log.h"
#include "recorder/log/merkle.h"
#include "recorder/log/queries.h"
#include "tests/support/audited.h"
#include "tests/support/generator.h"
#include "tests/support/rows_log.h"
#include "tests/support/sample_store.h"

namespace muniment {
namespace {

constexpr std::uint64_t kEvents = 330;  // the ninth run is under way

const RowsLog& intact() {
  static const RowsLog rows = [] {
    const std::unique_ptr<Store> log = make_memory_log(kSampleOrigin);
    EXPECT_TRUE(log->append(sample_entries_with_blobs(0, kEvents), {}));
    RowsLog made(*log);
    for (const std::uint64_t size : {80U, 200U, 320U}) sign_rows(made, size, {SampleKey()});
    return made;
  }();
  return rows;
}

using Attack = std::function<void(RowsLog&)>;

// The first finding names `first_bad` ("none": findings without a sequence), and each finding says
// what was expected and what was found.
void expect_found(const std::string& what, const Attack& attack,
                  std::optional<std::uint64_t> first_bad) {
  RowsLog log = intact();
  attack(log);
  const std::vector<FoundRow> findings = findings_of(log);
  ASSERT_FALSE(findings.empty()) << what << " was not found";
  EXPECT_EQ(findings.front().sequence, first_bad) << what << "\n" << to_text(findings);
  for (const FoundRow& finding : findings) {
    EXPECT_FALSE(finding.what.empty()) << what;
    EXPECT_FALSE(finding.expected.empty()) << what << "\n" << to_text(findings);
    EXPECT_FALSE(finding.found.empty()) << what << "\n" << to_text(findings);
    EXPECT_NE(finding.expected, finding.found) << what << "\n" << to_text(findings);
  }
}

std::string& value_of(RowsLog& log, Table table, const std::string& key) {
  return log.table(table).at(key);
}

std::string& event_at(RowsLog& log, std::uint64_t sequence) {
  return value_of(log, Table::kEvent, sequence_key(sequence));
}

void flip(std::string& bytes, std::size_t at, unsigned bit) {
  bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1U << bit));
}

TEST(Audit, FindsNothingInAnIntactLogAndCountsWhatItRead) {
  const v1::VerifyReport report = audited(intact());
  EXPECT_EQ(to_text(rows_of(report)), "");
  EXPECT_EQ(report.verdict(), kIntact);
  EXPECT_EQ(report.events(), kEvents);
  EXPECT_EQ(report.nodes(), node_count(kEvents));
  EXPECT_EQ(report.index_rows(), intact().table(Table::kIndex).size());
  EXPECT_EQ(report.runs(), (kEvents + kEventsPerRun - 1) / kEventsPerRun);
  EXPECT_EQ(report.blobs(), intact().table(Table::kBlob).size());
  EXPECT_GT(report.blobs(), 50U);
  EXPECT_EQ(report.root_hash(), intact().state()->root());
  EXPECT_EQ(report.checkpoint_size(), 320U);
  ASSERT_EQ(report.signers_size(), 1);
  EXPECT_EQ(report.signers(0), vkey_of(SampleKey().verifier));
  ASSERT_EQ(report.caveats_size(), 1);
  EXPECT_EQ(report.caveats(0),
            "10 events lie behind the newest checkpoint, of 320 events: no signature covers them");
}

TEST(Audit, FindsNothingInAnEmptyLog) {
  const std::unique_ptr<Store> log = make_memory_log(kSampleOrigin);
  EXPECT_EQ(to_text(findings_of(*log)), "");
}

TEST(Audit, TellsItsProgressAndStopsWhenItIsTold) {
  const std::unique_ptr<Store> log = make_memory_log(kSampleOrigin);
  ASSERT_TRUE(log->append(sample_entries(0, 4100), {}));
  std::vector<std::uint64_t> told;
  AuditRequest request = sample_request();
  request.piece_level = 10;
  request.progress = [&](std::uint64_t done, std::uint64_t of) {
    EXPECT_EQ(of, 4100U);
    told.push_back(done);
    return true;
  };
  v1::VerifyReport report;
  ASSERT_TRUE(audit(*log, request, report));
  EXPECT_EQ(told, (std::vector<std::uint64_t>{1024, 2048, 3072, 4096}));
  request.progress = [](std::uint64_t, std::uint64_t) { return false; };
  for (const unsigned threads : {1U, 3U}) {
    request.threads = threads;
    const Status stopped = audit(*log, request, report);
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);
  }
}

TEST(Audit, FindsAnyEditedByteOfAnEvent) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  std::vector<std::uint64_t> edited = {0, 1, 38, 39, kEvents - 1};
  for (int i = 0; i < 2; ++i) edited.push_back(generator.below(kEvents));
  for (const std::uint64_t sequence : edited) {
    const std::size_t size = event_at(const_cast<RowsLog&>(intact()), sequence).size();
    for (std::size_t at = generator.below(12); at < size; at += generator.between(20, 80)) {
      const unsigned bit = static_cast<unsigned>(generator.below(8));
      const std::string what = "event " + std::to_string(sequence) + ", byte " +
                               std::to_string(at) + ", bit " + std::to_string(bit);
      expect_found(what, [&](RowsLog& log) { flip(event_at(log, sequence), at, bit); }, sequence);
    }
    expect_found(
        "event cut short", [&](RowsLog& log) { event_at(log, sequence).pop_back(); }, sequence);
    expect_found("event emptied", [&](RowsLog& log) { event_at(log, sequence).clear(); }, sequence);
  }
}

TEST(Audit, FindsAnEventThatIsMissing) {
  for (const std::uint64_t gone : {0U, 1U, 40U, 127U, 128U, 200U, 328U}) {
    expect_found(
        "without event " + std::to_string(gone),
        [&](RowsLog& log) { log.table(Table::kEvent).erase(sequence_key(gone)); }, gone);
  }
}

TEST(Audit, FindsEventsThatMovedUpIntoAGap) {
  for (const std::uint64_t gone : {0U, 77U, 300U}) {
    expect_found(
        "moved up from " + std::to_string(gone),
        [&](RowsLog& log) {
          for (std::uint64_t i = gone; i + 1 < kEvents; ++i) {
            event_at(log, i) = event_at(log, i + 1);
          }
          log.table(Table::kEvent).erase(sequence_key(kEvents - 1));
        },
        gone);
  }
}

TEST(Audit, FindsTwoEventsThatChangedPlaces) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int i = 0; i < 12; ++i) {
    const std::uint64_t first = generator.below(kEvents - 1);
    const std::uint64_t second = generator.between(first + 1, kEvents - 1);
    expect_found(
        std::to_string(first) + " and " + std::to_string(second) + " swapped",
        [&](RowsLog& log) { std::swap(event_at(log, first), event_at(log, second)); }, first);
  }
}

TEST(Audit, FindsAnEventThatWasPutIn) {
  const std::string foreign = sample_entry(5000).bytes;
  for (const std::uint64_t place : {0U, 100U, 329U}) {
    expect_found(
        "put in at " + std::to_string(place),
        [&](RowsLog& log) {
          log.table(Table::kEvent)[sequence_key(kEvents)];
          for (std::uint64_t i = kEvents; i > place; --i) event_at(log, i) = event_at(log, i - 1);
          event_at(log, place) = foreign;
        },
        place);
  }
  const auto put = [&](const std::string& key) {
    return [&foreign, key](RowsLog& log) { log.table(Table::kEvent)[key] = foreign; };
  };
  expect_found("put at the end", put(sequence_key(kEvents)), kEvents);
  expect_found("put far behind the end", put(sequence_key(1U << 30U)), kEvents);
  expect_found("put between two", put(sequence_key(17) + "x"), 18U);
}

TEST(Audit, FindsACutTail) {
  for (const std::uint64_t left : {0U, 1U, 80U, 81U, 319U, 320U, 329U}) {
    expect_found(
        "cut to " + std::to_string(left),
        [&](RowsLog& log) {
          for (std::uint64_t i = left; i < kEvents; ++i) {
            log.table(Table::kEvent).erase(sequence_key(i));
          }
        },
        left);
  }
}

// Whoever cuts the tail and mends the length is found by the root, the tree, the index …
TEST(Audit, FindsACutTailWhoseLengthWasMended) {
  expect_found(
      "cut and mended",
      [](RowsLog& log) {
        log.table(Table::kEvent).erase(sequence_key(kEvents - 1));
        v1::StoreState state = *log.state();
        state.set_size(kEvents - 1);
        value_of(log, Table::kMeta, std::string(kStateKey)) = state.SerializeAsString();
      },
      kEvents - 1);
}

TEST(Audit, FindsAnyChangedNodeAtTheEventThatMadeIt) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (std::uint8_t level = 0; level <= 8; ++level) {
    const std::uint64_t index = generator.below(kEvents >> level);
    const std::string key = node_key(level, index);
    const std::uint64_t maker = ((index + 1) << level) - 1;
    const std::string what = "node " + std::to_string(level) + "/" + std::to_string(index);
    expect_found(what, [&](RowsLog& log) { flip(value_of(log, Table::kNode, key), 31, 0); }, maker);
    expect_found(what + " gone", [&](RowsLog& log) { log.table(Table::kNode).erase(key); }, maker);
    expect_found(
        what + " cut", [&](RowsLog& log) { value_of(log, Table::kNode, key).clear(); }, maker);
  }
  expect_found(
      "a node too many",
      [](RowsLog& log) { log.table(Table::kNode)[node_key(9, 0)] = std::string(32, 'x'); },
      std::nullopt);
}

// One row of each tag, at an event that has it.
std::vector<std::pair<std::string, std::uint64_t>> one_of_each_index() {
  std::vector<std::pair<std::string, std::uint64_t>> out;
  for (const std::uint64_t sequence : {120U, 124U, 125U}) {
    const v1::Event event = read_event(intact(), sequence)->event;
    for (const IndexRow& row : index_rows(event, sequence)) out.emplace_back(row.first, sequence);
  }
  return out;
}

TEST(Audit, FindsAnyIndexRowThatIsGoneOrChanged) {
  std::string tags;
  for (const auto& [key, sequence] : one_of_each_index()) {
    if (tags.find(key.front()) == std::string::npos) tags += key.front();
    const std::string what = "index row " + to_hex(key);
    expect_found(
        what + " gone", [&](RowsLog& log) { log.table(Table::kIndex).erase(key); }, sequence);
    expect_found(
        what + " with another value",
        [&](RowsLog& log) { value_of(log, Table::kIndex, key) = sequence_key(7); }, sequence);
    expect_found(
        what + " under another key",
        [&](RowsLog& log) {
          std::string moved = key;
          flip(moved, moved.size() - 1, 0);
          const std::string value = value_of(log, Table::kIndex, key);
          log.table(Table::kIndex).erase(key);
          log.table(Table::kIndex)[moved] = value;
        },
        sequence);
  }
  EXPECT_EQ(tags.size(), 7U) << "each tag has a row among them: " << tags;
}

TEST(Audit, FindsAnIndexRowThatNoEventMade) {
  const auto add = [](const std::string& key, const std::string& value) {
    return [key, value](RowsLog& log) { log.table(Table::kIndex)[key] = value; };
  };
  const std::string at = sequence_key(125);
  expect_found("a module", add(index_prefix(IndexTag::kByModule, "other") + at, ""), 125U);
  expect_found("a run", add(index_prefix(IndexTag::kByRun, sample_run_id(0)) + at, ""), 125U);
  expect_found("a start", add(index_prefix(IndexTag::kByStart, "") + at, ""), 125U);
  expect_found("an id", add(id_key(sample_event_id(9999)), at), 125U);
  expect_found("a row without a sequence", add("x", ""), std::nullopt);
}

TEST(Audit, FindsABlobThatIsChangedOrGone) {
  const v1::Event started = read_event(intact(), 120)->event;
  const v1::Event sealed = read_event(intact(), 158)->event;
  const v1::Event noted = read_event(intact(), 124)->event;
  const std::string manifest = started.run_started().manifest_sha256();
  const std::string plan = sealed.plan_sealed().canonical_sha256();
  const std::string note = noted.note_added().text().commitment();
  const std::pair<std::string, std::uint64_t> known[] = {{manifest, 120}, {plan, 158}, {note, 124}};
  for (const auto& [key, sequence] : known) {
    expect_found(
        "a changed blob", [&](RowsLog& log) { flip(value_of(log, Table::kBlob, key), 3, 0); },
        sequence);
    expect_found(
        "an emptied blob", [&](RowsLog& log) { value_of(log, Table::kBlob, key).clear(); },
        sequence);
  }
  const auto drop = [](const std::string& key) {
    return [key](RowsLog& log) { log.table(Table::kBlob).erase(key); };
  };
  expect_found("a manifest gone", drop(manifest), 120U);
  expect_found("a plan gone", drop(plan), 158U);
  expect_found("a note's text gone", drop(note), 124U);
  expect_found(
      "a blob of nobody",
      [](RowsLog& log) { log.table(Table::kBlob)[std::string(as_bytes(sha256("x")))] = "x"; },
      std::nullopt);
}

TEST(Audit, LetsATextBeGoneThatAnEventErased) {
  const std::unique_ptr<Store> log = make_memory_log(kSampleOrigin);
  ASSERT_TRUE(log->append(sample_entries_with_blobs(0, 30), {}));
  const std::string note = read_event(*log, 4)->event.note_added().text().commitment();
  v1::Event erased = sample_event(50'000);
  erased.clear_actor();
  erased.mutable_erased()->set_sequence(4);
  erased.mutable_erased()->set_field("note_added.text");
  erased.mutable_erased()->set_commitment(note);
  ASSERT_TRUE(log->erase({erased.SerializeAsString(), {}}, note));
  EXPECT_EQ(to_text(findings_of(*log)), "");

  RowsLog back(*log);
  back.table(Table::kBlob)[note] = intact().table(Table::kBlob).at(note);
  const std::vector<FoundRow> findings = findings_of(back);
  ASSERT_FALSE(findings.empty());
  EXPECT_EQ(findings[0].sequence, 30U) << to_text(findings);
}

TEST(Audit, NamesTheFirstBadEventAmongMany) {
  expect_found(
      "all summaries gone, one event edited",
      [](RowsLog& log) {
        log.table(Table::kRun).clear();
        log.table(Table::kBlob).clear();
        flip(event_at(log, 0), 3, 0);
      },
      0U);
  RowsLog log = intact();
  log.table(Table::kBlob).clear();
  log.table(Table::kRun).clear();
  EXPECT_LE(findings_of(log).size(), 20U);
}

TEST(Audit, FindsAnEmptiedTable) {
  for (const Table table :
       {Table::kEvent, Table::kBlob, Table::kNode, Table::kIndex, Table::kRun}) {
    expect_found(
        std::string(table_name(table)) + " emptied",
        [&](RowsLog& log) { log.table(table).clear(); }, 0U);
  }
  RowsLog log = intact();
  log.table(Table::kMeta).clear();
  v1::VerifyReport report;
  const Status result = audit(log, sample_request(), report);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace muniment
