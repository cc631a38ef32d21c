#include "replay/evidence.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "recorder/core/digest.h"
#include "recorder/log/key_codec.h"
#include "recorder/log/memory_log.h"
#include "recorder/log/prover.h"
#include "recorder/log/queries.h"
#include "replay/render_text.h"
#include "tests/support/naive_tree.h"
#include "tests/support/poison.h"
#include "tests/support/rows_log.h"
#include "tests/support/run_writer.h"
#include "tests/support/sample_runs.h"

namespace muniment {
namespace {

class EvidenceOfRuns : public testing::Test {
 protected:
  v1::Evidence evidence_of(const std::string& run_id) const {
    Result<v1::Evidence> evidence = make_evidence(*log_, run_id);
    EXPECT_TRUE(evidence) << evidence.error().message;
    return evidence ? *evidence : v1::Evidence();
  }

  Resolver resolver() const {
    return [this](const v1::Erasable& field) -> std::optional<std::string> {
      const Result<std::optional<std::string>> text = read_erasable(*log_, field);
      return text ? *text : std::nullopt;
    };
  }

  std::string text_of(const std::string& run_id) const {
    return render_evidence(evidence_of(run_id), resolver());
  }

  // A fact about a run, by an invocation that is no run.
  std::uint64_t add_about(const std::string& run_id, v1::Event event) {
    LogScript script{*log_, 1'795'700'000'000'000'000, log_->state()->size()};
    RunWriter writer(script, sample_uuid(3000, 2), v1::MODE_OBSERVATION, "operator:anna");
    event.set_about_run(run_id);
    return writer.add(std::move(event));
  }

  std::unique_ptr<Store> log_ = make_memory_log("rs2000.example/muniment");
  SampleRuns runs_ = write_sample_runs(*log_);
};

bool says(const std::string& text, std::string_view what) {
  return text.find(what) != std::string::npos;
}

std::string blocker(const v1::Evidence& evidence, const std::string& name) {
  for (const v1::Blocker& row : evidence.blockers()) {
    if (row.name() == name) return row.verdict();
  }
  return "absent";
}

TEST_F(EvidenceOfRuns, NamesWhatDidNotHoldStillAndWhatWasNotFollowed) {
  const std::string text = text_of(runs_.executed);
  EXPECT_TRUE(says(text, "uploads: 2 changed while read: /srv/uploads/log … #")) << text;
  EXPECT_TRUE(says(text,
                   "1 links, 1 FIFOs, sockets and devices: /srv/uploads/newest "
                   "/srv/uploads/control\\n\n"))
      << text;
  EXPECT_TRUE(says(text, "left out by exclusions: 88 paths\n")) << text;
}

TEST_F(EvidenceOfRuns, StandsInTheOrderOfTheDesign) {
  const std::string text = text_of(runs_.executed);
  std::size_t at = 0;
  for (const char* title :
       {"EXECUTED: ", "\nWho, when, where, with what\n", "\nRuntime evidence\n", "\n  Not done:\n",
        "\nMerge blockers\n", "\nCandidates and gates\n", "\nPlan against execution\n",
        "\nResolution\n", "\nArtifacts\n", "\nContext\n", "\nIntegrity\n"}) {
    const std::size_t found = text.find(title, at);
    ASSERT_NE(found, std::string::npos) << title;
    at = found + 1;
  }
  EXPECT_TRUE(text.starts_with("EXECUTED: "));
}

TEST_F(EvidenceOfRuns, SaysThatNothingWasWrittenOnlyWhereTheEventsShowIt) {
  const std::set<std::string> wrote_nothing = {runs_.resolved,  runs_.rehearsed, runs_.unresolved,
                                               runs_.drifted,   runs_.gated,     runs_.unheld,
                                               runs_.candidate, runs_.closed};
  for (const auto& [name, run_id] : runs_.by_name()) {
    EXPECT_EQ(says(text_of(run_id), "No backup file or folder was created"),
              wrote_nothing.contains(run_id))
        << name;
  }
}

TEST_F(EvidenceOfRuns, SaysWhetherTheKernelHeldTheRunToIt) {
  const std::string held = text_of(runs_.rehearsed);
  EXPECT_TRUE(says(held, "Landlock ABI 2 forbade: create, write, rename, remove outside")) << held;
  const std::string unheld = text_of(runs_.unheld);
  EXPECT_TRUE(says(unheld, "the kernel did not enforce it: this kernel has no Landlock"));
  EXPECT_FALSE(says(unheld, "forbade")) << unheld;
  EXPECT_FALSE(says(text_of(runs_.executed), "Landlock"));
}

TEST_F(EvidenceOfRuns, ClaimsNothingOfEngineAndRestoreOnceAnEventSpeaksOfThem) {
  EXPECT_TRUE(says(text_of(runs_.executed), "no engine was asked"));
  EXPECT_TRUE(says(text_of(runs_.executed), "No restore was tested"));
  v1::Event restored;
  restored.mutable_restore_tested()->set_verdict(v1::VERDICT_OK);
  add_about(runs_.executed, restored);
  v1::Event observed;
  observed.mutable_engine_observed();
  add_about(runs_.executed, observed);
  EXPECT_FALSE(says(text_of(runs_.executed), "no engine was asked"));
  EXPECT_FALSE(says(text_of(runs_.executed), "No restore was tested"));
  EXPECT_TRUE(says(text_of(runs_.rehearsed), "no engine was asked")) << "facts of another run";
}

TEST_F(EvidenceOfRuns, SaysUnknownOfAStepWithoutAnEnd) {
  const v1::Evidence evidence = evidence_of(runs_.abandoned);
  const std::string text = text_of(runs_.abandoned);
  EXPECT_TRUE(says(text, "Step 4 (uploads capture) was started; what it did is unknown. #"))
      << text;
  EXPECT_TRUE(says(text, "\n  finished      unknown\n")) << text;
  EXPECT_TRUE(says(text, "Found dead by a later invocation; left behind: /srv/backup/uploads/."));
  EXPECT_TRUE(says(text, "A later run removed /srv/backup/uploads/."));
  EXPECT_EQ(blocker(evidence, "no step is in an unknown state"), "unknown");
  EXPECT_EQ(blocker(evidence, "every artifact is mode 0600"), "unknown");
  EXPECT_EQ(blocker(evidence, "every artifact is verified"), "unknown");
  EXPECT_FALSE(evidence.run().has_finished_at());

  EXPECT_TRUE(says(text_of(runs_.running), "The run is not over"));
  EXPECT_EQ(blocker(evidence_of(runs_.running), "every artifact is mode 0600"), "unknown");
  EXPECT_EQ(blocker(evidence_of(runs_.executed), "no step is in an unknown state"), "pass");
}

TEST_F(EvidenceOfRuns, ListsEachDifferenceOfADriftWithItsProof) {
  const v1::Evidence evidence = evidence_of(runs_.drifted);
  ASSERT_EQ(evidence.divergences_size(), 1);
  EXPECT_EQ(evidence.divergences(0).text(), "Drift, new: uploads: exclude tmp/**");
  const Result<StoredEvent> proof = read_event(*log_, evidence.divergences(0).sequences(0));
  EXPECT_TRUE(proof->event.has_drift_detected());
  EXPECT_EQ(blocker(evidence, "no drift between rehearsal and execution"), "fail");
  EXPECT_EQ(blocker(evidence_of(runs_.executed), "no drift between rehearsal and execution"),
            "pass");
  EXPECT_EQ(blocker(evidence_of(runs_.failed), "no drift between rehearsal and execution"),
            "unknown");
}

// A proof is an event of the run, or about it.
TEST_F(EvidenceOfRuns, ProvesEachStatementByEventsOfTheRun) {
  for (const auto& [name, run_id] : runs_.by_name()) {
    const v1::Evidence evidence = evidence_of(run_id);
    std::vector<std::uint64_t> cited;
    for (const auto* list : {&evidence.done(), &evidence.not_done(), &evidence.divergences()}) {
      for (const v1::Statement& row : *list) {
        EXPECT_FALSE(row.sequences().empty()) << name << ": " << row.text();
        cited.insert(cited.end(), row.sequences().begin(), row.sequences().end());
      }
    }
    for (const v1::Blocker& row : evidence.blockers()) {
      EXPECT_EQ(row.sequences().empty(), row.verdict() == "not applicable")
          << name << ": " << row.name();
      cited.insert(cited.end(), row.sequences().begin(), row.sequences().end());
    }
    for (const std::uint64_t sequence : cited) {
      const Result<StoredEvent> stored = read_event(*log_, sequence);
      ASSERT_TRUE(stored) << name << " #" << sequence;
      EXPECT_TRUE(stored->event.run_id() == run_id || stored->event.about_run() == run_id)
          << name << " #" << sequence;
    }
  }
}

TEST_F(EvidenceOfRuns, IsSupersededByANewerDryRunOfAModuleOfItsOwn) {
  EXPECT_EQ(evidence_of(runs_.rehearsed).superseded_by(), runs_.unheld);
  EXPECT_EQ(evidence_of(runs_.unheld).superseded_by(), "");
  EXPECT_EQ(evidence_of(runs_.executed).superseded_by(), "") << "an execution is a fact";
}

TEST_F(EvidenceOfRuns, CountsTheNewestCheckOfAName) {
  EXPECT_EQ(blocker(evidence_of(runs_.executed), "check ci"), "unknown");
  v1::Event check;
  check.mutable_check_recorded()->set_name("ci");
  check.mutable_check_recorded()->set_verdict(v1::VERDICT_FAILED);
  const std::uint64_t sequence = add_about(runs_.executed, check);
  const v1::Evidence evidence = evidence_of(runs_.executed);
  EXPECT_EQ(blocker(evidence, "check ci"), "fail");
  EXPECT_EQ(std::count_if(evidence.blockers().begin(), evidence.blockers().end(),
                          [](const v1::Blocker& row) { return row.name() == "check ci"; }),
            1);
  EXPECT_EQ(evidence.integrity().last_sequence(), sequence);
  EXPECT_EQ(evidence.integrity().log_size(), sequence + 1);
}

TEST_F(EvidenceOfRuns, CountsWhatWasRedacted) {
  // One mark in the manifest, which is a blob of the run.
  EXPECT_EQ(evidence_of(runs_.executed).integrity().redactions(), 1U);
}

TEST_F(EvidenceOfRuns, SaysErasedWhereATextIsGone) {
  const v1::Evidence evidence = evidence_of(runs_.executed);
  const std::string text =
      render_evidence(evidence, [](const v1::Erasable&) { return std::nullopt; });
  EXPECT_TRUE(says(text, "actor         [erased] (claimed); uid 1000, user [erased]")) << text;
  EXPECT_FALSE(says(text, "anna"));
  EXPECT_FALSE(says(text, "canary was green"));
}

// The same log, with `text` wherever an event or the context of a run can hold text; ids stay.
std::unique_ptr<Store> with_text(const LogReader& log, const std::string& text) {
  std::unique_ptr<Store> out = make_memory_log("rs2000.example/muniment");
  EXPECT_TRUE(read_events(log, 0, [&](const StoredEvent& stored) {
    v1::Event event = stored.event;
    std::vector<std::string> blobs = {erasable_blob(text)};
    poison(event, text);
    for (v1::Erasable* field :
         {event.mutable_actor()->mutable_claimed(), event.mutable_actor()->mutable_user_name()}) {
      *field = erasable(text);
    }
    if (event.has_note_added()) *event.mutable_note_added()->mutable_text() = erasable(text);
    if (event.has_run_started()) {
      v1::Context context;
      for (std::string* field :
           {context.mutable_story(), context.mutable_why(), context.add_constraints(),
            context.add_out_of_scope(), context.mutable_decision(), context.add_sources()}) {
        *field = text;
      }
      blobs.push_back(context.SerializeAsString());
      event.mutable_run_started()->set_context_sha256(std::string(as_bytes(sha256(blobs.back()))));
    }
    event.set_event_id(stored.event.event_id());
    event.set_run_id(stored.event.run_id());
    event.set_about_run(stored.event.about_run());
    const Result<Appended> appended = out->append({{event.SerializeAsString(), blobs}}, {});
    EXPECT_TRUE(appended) << appended.error().message;
    return appended.has_value();
  }));
  return out;
}

std::vector<std::string> all_texts(const LogReader& log, const std::string& run_id) {
  const Resolver resolve = [&log](const v1::Erasable& field) -> std::optional<std::string> {
    const Result<std::optional<std::string>> text = read_erasable(log, field);
    return text ? *text : std::nullopt;
  };
  const v1::RunState run = *run_state(log, run_id);
  v1::RunList list;
  *list.add_runs() = run;
  return {render_evidence(*make_evidence(log, run_id), resolve), render_run(run, resolve),
          render_runs(list, resolve)};
}

TEST_F(EvidenceOfRuns, IsInertWhateverTextIsInTheEvents) {
  const std::unique_ptr<Store> calm = with_text(*log_, "calm");
  const std::unique_ptr<Store> hostile = with_text(*log_, hostile_text());
  for (const auto& [name, run_id] : runs_.by_name()) {
    const std::vector<std::string> quiet = all_texts(*calm, run_id);
    const std::vector<std::string> loud = all_texts(*hostile, run_id);
    for (std::size_t i = 0; i < quiet.size(); ++i) {
      EXPECT_TRUE(is_inert(loud[i])) << name << "\n" << inert_short(loud[i], 8000);
      EXPECT_EQ(std::count(loud[i].begin(), loud[i].end(), '\n'),
                std::count(quiet[i].begin(), quiet[i].end(), '\n'))
          << name << ": a text broke its line\n"
          << inert_short(loud[i], 8000);
    }
    EXPECT_TRUE(says(quiet[0], "  not in scope  calm\n"));
  }
}

TEST_F(EvidenceOfRuns, RootsAreThoseOfRfc6962) {
  std::vector<Digest> leaves;
  ASSERT_TRUE(read_events(*log_, 0, [&](const StoredEvent& stored) {
    EXPECT_EQ(*root_at(*log_, leaves.size()), naive_root(leaves, 0, leaves.size()));
    leaves.push_back(leaf_hash(stored.bytes));
    return true;
  }));
  EXPECT_EQ(as_bytes(*root_at(*log_, leaves.size())), log_->state()->root());
}

TEST_F(EvidenceOfRuns, NamesASignedTreeWithoutReadingANode) {
  RowsLog sparse(*log_);
  sparse.table(Table::kNode).clear();
  const SignedTree tree{.size = 900,
                        .root = sha256("root"),
                        .checkpoint = "a signed note\n",
                        .verify_command = "muniment verify FILE"};
  const Result<v1::Evidence> evidence = make_evidence(sparse, runs_.executed, tree);
  ASSERT_TRUE(evidence) << evidence.error().message;
  EXPECT_EQ(evidence->integrity().log_size(), 900U);
  EXPECT_EQ(evidence->integrity().root_hash(), as_bytes(tree.root));
  EXPECT_EQ(evidence->integrity().checkpoint(), tree.checkpoint);
  EXPECT_EQ(evidence->integrity().verify_command(), tree.verify_command);
}

TEST_F(EvidenceOfRuns, AreNotMadeOfADamagedTreeOrForARunThatIsNotThere) {
  EXPECT_EQ(make_evidence(*log_, sample_uuid(9999, 2)).error().code, ErrorCode::kNotFound);
  RowsLog damaged(*log_);
  damaged.table(Table::kNode).erase(node_key(5, 0));
  const Result<v1::Evidence> evidence = make_evidence(damaged, runs_.executed);
  // The run's tree has 70 leaves: peaks of 64, 4 and 2.
  EXPECT_TRUE(evidence);
  damaged.table(Table::kNode).erase(node_key(6, 0));
  ASSERT_FALSE(make_evidence(damaged, runs_.executed));
  EXPECT_EQ(make_evidence(damaged, runs_.executed).error().code, ErrorCode::kCorrupt);
}

TEST_F(EvidenceOfRuns, VerdictsAreOneLineAPersonCanParse) {
  const std::pair<std::string, const char*> starts[] = {
      {runs_.resolved, "RESOLVED: 2 modules · run "},
      {runs_.rehearsed, "DRY RUN OK: 2 modules, 6 steps, 0 written, 0 drift · run "},
      {runs_.executed,
       "EXECUTED: 2 modules, 2 artifacts, 668.3 MiB, all 0600, verified, 2 files changed while "
       "read · run "},
      {runs_.failed, "FAILED at step 4 of 6 (uploads capture): "},
      {runs_.unresolved, "FAILED: notes: there is nothing at /srv/notes/notes.db"},
      {runs_.drifted, "DRIFT: "},
      {runs_.gated, "GATE CLOSED: gate F3 is closed for notes"},
      {runs_.interrupted, "INTERRUPTED: "},
      {runs_.abandoned, "ABANDONED: "},
      {runs_.unheld, "DRY RUN OK: 1 module, 3 steps, 0 written, 0 drift · run "},
      {runs_.running, "RUNNING: "},
      {runs_.candidate, "DRY RUN OK: 1 module, 3 steps, 0 written, 0 drift · run "},
      {runs_.closed, "GATE CLOSED: gate F3 is closed for ledger: 0 of 1 approvals"},
      {runs_.opened, "EXECUTED: 1 module, 1 artifact, 2.3 MiB, all 0600, verified · run "},
      {runs_.commanded, "EXECUTED: 1 module, 1 command, exit status 0 · run "}};
  for (const auto& [run_id, start] : starts) {
    const std::string line = verdict_line(*run_state(*log_, run_id));
    EXPECT_TRUE(line.starts_with(start)) << line;
    EXPECT_TRUE(line.ends_with(" · run " + run_id)) << line;
    EXPECT_EQ(line.find('\n'), std::string::npos);
  }
}

TEST_F(EvidenceOfRuns, VerdictOfAnExecutionSaysWhatIsNotInOrder) {
  const v1::RunState executed = *run_state(*log_, runs_.executed);
  v1::RunState run = executed;
  run.mutable_artifacts(1)->set_mode(0640);
  EXPECT_TRUE(says(verdict_line(run), ", NOT all 0600, verified")) << verdict_line(run);
  run = executed;
  run.mutable_artifacts(0)->clear_verified();
  EXPECT_TRUE(says(verdict_line(run), ", all 0600, NOT verified")) << verdict_line(run);
  run = executed;
  run.mutable_artifacts(1)->set_changed_count(2);
  run.mutable_artifacts(1)->set_vanished_count(1);
  EXPECT_TRUE(says(verdict_line(run), ", verified, 3 files changed while read"))
      << verdict_line(run);
}

}  // namespace
}  // namespace muniment
