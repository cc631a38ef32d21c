#include <memory>

#include "cli/app.h"
#include "cli/command_table.h"
#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/outside_run.h"
#include "cli/present.h"
#include "recorder/core/check.h"
#include "recorder/core/text.h"
#include "recorder/log/inbox.h"
#include "recorder/log/queries.h"
#include "replay/find_run.h"

namespace muniment {
namespace {

constexpr std::size_t kMostTextBytes = 64U << 10U;
constexpr auto kInboxPatience = std::chrono::seconds(10);

struct Options {
  std::string run;
  std::string text;
  std::string check;
  std::string url;
};

Result<v1::Event> make_body(const Options& options, const Redactor& secrets,
                            std::vector<std::string>& blobs) {
  v1::Event event;
  if (options.text.empty() == options.check.empty()) {
    return fail(ErrorCode::kInvalid, "say either a TEXT or --check NAME=ok|failed|missing");
  }
  if (options.text.size() > kMostTextBytes) {
    return fail(ErrorCode::kInvalid, "the text has " + std::to_string(options.text.size()) +
                                         " bytes; a note takes up to 65536: link to the rest");
  }
  if (!options.text.empty()) {
    Hidden hidden = hide(secrets.redact(options.text));
    *event.mutable_note_added()->mutable_text() = hidden.field;
    blobs.push_back(std::move(hidden.blob));
    return event;
  }
  const std::size_t equals = options.check.find('=');
  const std::string verdict = equals == std::string::npos ? "" : options.check.substr(equals + 1);
  v1::CheckRecorded& body = *event.mutable_check_recorded();
  if (verdict == "ok") body.set_verdict(v1::VERDICT_OK);
  if (verdict == "failed") body.set_verdict(v1::VERDICT_FAILED);
  if (verdict == "missing") body.set_verdict(v1::VERDICT_MISSING);
  if (body.verdict() == v1::VERDICT_UNSPECIFIED || equals == 0 || options.check.size() > 1024 ||
      options.url.size() > 4096) {
    return fail(ErrorCode::kInvalid,
                "`" + inert_short(options.check, 80) +
                    "` is no check; expected NAME=ok, NAME=failed or NAME=missing");
  }
  body.set_name(valid_utf8(secrets.redact(options.check.substr(0, equals))));
  body.set_url(secrets.redact(options.url));
  return event;
}

Result<std::uint64_t> leave(const std::string& folder, Entry entry, const std::string& event_id) {
  if (Status status = leave_in_inbox(folder, entry); !status) return pass(status);
  say("another process holds the store: left in its inbox, waiting for it");
  return wait_for_event(folder, event_id, kInboxPatience);
}

struct Prepared {
  v1::NoteReport report;
  v1::Event body;
  std::vector<std::string> blobs;
};

Result<std::uint64_t> add(const Globals& globals, const Redactor& secrets,
                          const std::string& folder, Prepared& prepared) {
  Result<std::unique_ptr<LogReader>> reader = open_reader(folder);
  if (!reader) return pass(reader);
  Result<v1::StoreState> state = (*reader)->state();
  if (!state) return pass(state);
  Result<OutsideRun> outside = OutsideRun::begin(globals, secrets, state->origin());
  if (!outside) return pass(outside);
  Result<std::unique_ptr<Store>> store = outside->hold(globals, secrets, folder);
  Entry entry = outside->stamp(std::move(prepared.body), std::move(prepared.blobs));
  v1::Event stamped;
  check(stamped.ParseFromString(entry.bytes), "an event that was just serialized parses");
  prepared.report.set_event_id(stamped.event_id());
  if (!store && store.error().code == ErrorCode::kBusy) {
    return leave(folder, std::move(entry), stamped.event_id());
  }
  if (!store) return pass(store);
  Result<Appended> appended = (*store)->append({std::move(entry)}, std::nullopt);
  if (!appended) return pass(appended);
  return appended->sequences.front();
}

Result<int> note(const Options& options, const Globals& globals, Redactor& secrets) {
  // What the manifest refers to is secret here too, also where -s names the store.
  if (manifest_path(globals)) {
    Result<LoadedManifest> loaded = load_manifest(globals, secrets);
    if (!loaded) return pass(loaded);
  }
  Prepared prepared;
  Result<v1::Event> body = make_body(options, secrets, prepared.blobs);
  if (!body) return pass(body);
  prepared.body = std::move(*body);
  std::string folder;
  {
    Result<OpenLog> log = open_log(globals, secrets);
    if (!log) return pass(log);
    Result<v1::RunState> run = find_run(*log->reader, options.run);
    if (!run) return pass(run);
    prepared.body.set_about_run(run->run_id());
    prepared.report.set_about_run(run->run_id());
    folder = log->folder;
  }
  Result<std::uint64_t> sequence = add(globals, secrets, folder, prepared);
  if (!sequence) return pass(sequence);
  prepared.report.set_sequence(*sequence);
  prepared.report.set_log_state("integrated");
  return present(
      globals, prepared.report, {},
      "#" + std::to_string(*sequence) + " about run " + prepared.report.about_run() + "\n",
      kExitDone);
}

}  // namespace

void declare_note(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      root.add_subcommand("note", "Add a remark to a run, or the result of a check made elsewhere");
  command
      ->add_option("RUN", options->run,
                   "Id, prefix of six characters or more, latest, latest:MODULE")
      ->required();
  command->add_option("TEXT", options->text, "The remark");
  command->add_option("--check", options->check, "A canary, a CI job: NAME=ok|failed|missing");
  command->add_option("--url", options->url, "Where the check can be seen");
  command->footer(
      "Example:\n  muniment note latest \"the queue was drained by hand\"\n"
      "  muniment note latest --check canary=ok --url https://ci.example/42\n\n"
      "Exit: 0 recorded, 2 usage, 6 the holder of the store did not take it, 7 no such RUN");
  command->callback([options, &chosen] {
    chosen = [options](const Globals& globals, Redactor& secrets) {
      return note(*options, globals, secrets);
    };
  });
}

}  // namespace muniment
