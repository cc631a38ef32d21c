#include <chrono>
#include <memory>
#include <thread>

#include "cli/app.h"
#include "cli/command_table.h"
#include "cli/exit_code.h"
#include "cli/present.h"
#include "cli/stop.h"
#include "cli/view.h"
#include "recorder/core/text.h"
#include "replay/find_run.h"
#include "replay/query.h"
#include "replay/render_text.h"

namespace muniment {
namespace {

struct Options {
  EventFilter filter;
  std::string run;
  std::string since;
  std::string until;
  bool follow = false;
};

Status fill(Options& options, const LogReader& log) {
  const std::int64_t now = make_host_clock()->now().wall_ns;
  EventFilter& filter = options.filter;
  for (auto [text, field] :
       {std::pair{&options.since, &filter.since_ns}, std::pair{&options.until, &filter.until_ns}}) {
    if (text->empty()) continue;
    Result<std::int64_t> time = parse_time(*text, now);
    if (!time) return pass(time);
    *field = *time;
  }
  if (options.run.empty()) return {};
  Result<v1::RunState> run = find_run(log, options.run);
  if (!run) return pass(run);
  filter.run_id = run->run_id();
  return {};
}

bool print_events(const Globals& globals, const v1::EventList& list, const Resolver& resolve) {
  if (!globals.json && !globals.jsonl) return print(render_events(list));
  std::string out;
  for (const v1::EventView& view : list.events()) {
    out += to_json(view, {.resolve = resolve, .pretty = false}) + "\n";
  }
  return print(out);
}

// Until a person stops it or nobody reads any more.
Result<int> follow(Options options, const Globals& globals, OpenLog& log) {
  const Resolver resolve = resolver_for(*log.reader);
  while (!stop_requested()) {
    Result<v1::EventList> list = muniment::list(*log.reader, options.filter);
    if (!list) return pass(list);
    if (!list->events().empty()) {
      options.filter.from_sequence = list->events(list->events_size() - 1).sequence() + 1;
      list->clear_next();
      if (!print_events(globals, *list, resolve)) return kExitFailed;
    }
    if (!list->events().empty()) continue;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    if (Status status = log.reader->refresh(); !status) return pass(status);
  }
  return kExitInterrupted;
}

Result<int> show_events(Options options, const Globals& globals, Redactor& secrets) {
  const std::vector<std::string> names = body_names();
  const std::string& type = options.filter.type;
  if (!type.empty() && std::find(names.begin(), names.end(), type) == names.end()) {
    const std::string near = nearest_word(type, names);
    return fail(ErrorCode::kInvalid, "no event type `" + inert_short(type, 60) + "`" +
                                         (near.empty() ? "; types are spelled like run_started"
                                                       : "; did you mean `" + near + "`?"));
  }
  Result<OpenLog> log = open_log(globals, secrets);
  if (!log) return pass(log);
  if (Status status = fill(options, *log->reader); !status) return pass(status);
  if (options.follow) return follow(options, globals, *log);
  Result<v1::EventList> list = muniment::list(*log->reader, options.filter);
  if (!list) return pass(list);
  const Resolver resolve = resolver_for(*log->reader);
  if (globals.jsonl) return print_events(globals, *list, resolve) ? kExitDone : kExitFailed;
  return present(globals, *list, resolve, render_events(*list), kExitDone);
}

}  // namespace

void declare_events(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = root.add_subcommand("events", "Events in the order they were recorded");
  EventFilter& filter = options->filter;
  command->add_option("--run", options->run, "Events of this run, and facts about it")
      ->type_name("RUN");
  command->add_option("--module", filter.module, "Events that concern this module");
  command->add_option("--type", filter.type, "One type: run_started, step_settled …");
  command
      ->add_option("--since", options->since, "Recorded at or after: RFC 3339, or 24h ago as 24h")
      ->type_name("TIME");
  command->add_option("--until", options->until, "Recorded before")->type_name("TIME");
  command->add_option("--from-seq", filter.from_sequence, "From this sequence on")
      ->type_name("SEQ");
  command->add_option("--limit", filter.limit, "At most so many")->check(CLI::Range(1U, 10000000U));
  command->add_flag("--follow", options->follow, "Go on with what is recorded from now on");
  command->footer(
      "Example:\n  muniment events --run latest --type step_settled\n\n"
      "Exit: 0 done, 2 usage, 5 damaged store, 7 no such RUN, 130 end of --follow");
  command->callback([options, &chosen] {
    chosen = [options](const Globals& globals, Redactor& secrets) {
      return show_events(*options, globals, secrets);
    };
  });
}

}  // namespace muniment
