#include <memory>
#include <optional>

#include "cli/app.h"
#include "cli/command_table.h"
#include "cli/exit_code.h"
#include "cli/outside_run.h"
#include "cli/parse.h"
#include "cli/present.h"
#include "recorder/core/text.h"
#include "recorder/log/queries.h"
#include "replay/erasure.h"

namespace muniment {
namespace {

constexpr std::size_t kMostReasonBytes = 64U << 10U;

struct Options {
  std::string sequence;
  std::string field;
  std::string reason;
};

// What is to be erased, found before the store is held.
struct Target {
  std::string folder;
  std::string origin;
  StoredEvent event;
  BlobRef field;
  std::string run_id;  // that the event is of or about
};

Result<Target> find_target(const Options& options, const Globals& globals, Redactor& secrets) {
  const Result<std::uint64_t> sequence = parse_sequence(options.sequence, "muniment events");
  if (!sequence) return std::unexpected(sequence.error());
  Result<OpenLog> log = open_log(globals, secrets);
  if (!log) return pass(log);
  Result<v1::StoreState> state = log->reader->state();
  if (!state) return pass(state);
  Result<StoredEvent> event = read_event(*log->reader, *sequence);
  if (!event) return pass(event);
  Result<BlobRef> field = find_erasable(*event, options.field);
  if (!field) return pass(field);
  // A fact that was added later has the id of an invocation, which is no run that ever started.
  const v1::Event& stored = event->event;
  const Result<v1::RunState> run = run_state(*log->reader, stored.run_id());
  std::string run_id = run ? stored.run_id() : stored.about_run();
  return Target{log->folder, state->origin(), *std::move(event), *std::move(field),
                std::move(run_id)};
}

Entry make_erasure(OutsideRun& outside, const Target& target, const std::string& reason) {
  v1::Event event;
  event.set_about_run(target.run_id);
  v1::Erased& body = *event.mutable_erased();
  body.set_sequence(target.event.sequence);
  body.set_field(target.field.field);
  body.set_commitment(target.field.sha256);
  Hidden hidden = hide(reason);
  *body.mutable_reason() = hidden.field;
  return outside.stamp(std::move(event), {std::move(hidden.blob)});
}

std::string say_report(const v1::EraseReport& report) {
  const std::string what =
      inert(report.field()) + " of #" + std::to_string(report.erased_sequence());
  const std::string by = "#" + std::to_string(report.sequence());
  if (!report.is_new()) return what + " was erased by " + by + "\n";
  std::string out = by + " erased " + what;
  if (report.events() > 1) {
    out += ", and with it the same text of " + std::to_string(report.events() - 1) +
           (report.events() == 2 ? " other event" : " other events");
  }
  return out + "\n";
}

Result<v1::EraseReport> carry_out(const Target& target, const std::string& reason,
                                  const Globals& globals, const Redactor& secrets) {
  Result<OutsideRun> outside = OutsideRun::begin(globals, secrets, target.origin);
  if (!outside) return pass(outside);
  Result<std::unique_ptr<Store>> store = outside->hold(globals, secrets, target.folder);
  if (!store) return pass(store);
  Result<std::uint64_t> events = count_carriers(**store, target.field.sha256);
  if (!events) return pass(events);
  Result<std::optional<StoredEvent>> earlier = find_erasure(**store, target.field.sha256);
  if (!earlier) return pass(earlier);
  // An erasure that was cut short has left its event, and maybe the bytes in some file.
  Entry entry = earlier->has_value() ? Entry{(*earlier)->bytes, {}}
                                     : make_erasure(*outside, target, secrets.redact(reason));
  v1::EraseReport report;
  report.set_is_new(!earlier->has_value());
  Result<std::uint64_t> sequence = (*store)->erase(std::move(entry), target.field.sha256);
  if (!sequence) return pass(sequence);
  Result<StoredEvent> recorded = read_event(**store, *sequence);
  if (!recorded) return pass(recorded);
  report.set_sequence(*sequence);
  report.set_event_id(recorded->event.event_id());
  report.set_about_run(recorded->event.about_run());
  report.set_erased_sequence(target.event.sequence);
  report.set_field(target.field.field);
  report.set_events(*events);
  return report;
}

Result<int> erase(const Options& options, const Globals& globals, Redactor& secrets) {
  if (options.reason.empty() || options.reason.size() > kMostReasonBytes) {
    return fail(ErrorCode::kInvalid, "--reason has " + std::to_string(options.reason.size()) +
                                         " bytes; say in up to 65536 why the text must go");
  }
  // What the manifest refers to is secret here too, also where -s names the store.
  if (manifest_path(globals)) {
    Result<LoadedManifest> loaded = load_manifest(globals, secrets);
    if (!loaded) return pass(loaded);
  }
  Result<Target> target = find_target(options, globals, secrets);
  if (!target) return pass(target);
  Result<v1::EraseReport> report = carry_out(*target, options.reason, globals, secrets);
  if (!report) return pass(report);
  return present(globals, *report, {}, say_report(*report), kExitDone);
}

}  // namespace

void declare_erase(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = root.add_subcommand(
      "erase", "Delete a text that people wrote; its event and all proofs stay");
  command->add_option("SEQ", options->sequence, "The event that holds it: 412")
      ->required()
      ->type_name("SEQ");
  command
      ->add_option("--field", options->field,
                   "Which text: note_added.text, actor.claimed …, or its last word alone")
      ->required();
  command->add_option("--reason", options->reason, "Why; recorded, and erasable in turn")
      ->required();
  command->footer(
      "Example:\n  muniment erase 412 --field text --reason \"named a customer\"\n\n"
      "The text goes from every file of the store. All events of one invocation share the texts "
      "of\n"
      "their actor: they lose them together. What was copied out of the store before (bundles,\n"
      "reports, backups of it) is not touched. A second time finishes what was cut short.\n"
      "Exit: 0 erased, 1 recorded, but some file still holds the text, 2 usage, 6 store busy,\n"
      "      7 no such SEQ");
  command->callback([options, &chosen] {
    chosen = [options](const Globals& globals, Redactor& secrets) {
      return erase(*options, globals, secrets);
    };
  });
}

}  // namespace muniment
