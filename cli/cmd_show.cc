#include <algorithm>
#include <charconv>
#include <memory>

#include "cli/app.h"
#include "cli/command_table.h"
#include "cli/exit_code.h"
#include "cli/present.h"
#include "recorder/log/queries.h"
#include "replay/find_run.h"
#include "replay/query.h"
#include "replay/render_text.h"

namespace muniment {
namespace {

// A sequence is digits alone, with or without '#'. Run ids start with digits too, but have letters
// or dashes, and a prefix of digits alone is longer than any log: nine digits and more are taken
// for a run.
std::optional<std::uint64_t> as_sequence(std::string word) {
  const bool marked = word.starts_with('#');
  if (marked) word.erase(0, 1);
  if (word.empty() || (!marked && word.size() > 1 && word.front() == '0')) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

Result<int> show(const std::string& what, const Globals& globals, Redactor& secrets) {
  Result<OpenLog> log = open_log(globals, secrets);
  if (!log) return pass(log);
  const Resolver resolve = resolver_for(*log->reader);
  if (const std::optional<std::uint64_t> sequence = as_sequence(what)) {
    Result<StoredEvent> stored = read_event(*log->reader, *sequence);
    if (!stored) return pass(stored);
    v1::EventView view = view_of(*stored);
    Result<std::string> state = log_state_of(*log->reader, *sequence);
    if (!state) return pass(state);
    view.set_log_state(*state);
    return present(globals, view, resolve, render_event(view, resolve), kExitDone);
  }
  Result<v1::RunState> run = find_run(*log->reader, what);
  if (!run) return pass(run);
  Result<std::string> state = log_state_of(*log->reader, run->last_sequence());
  if (!state) return pass(state);
  run->set_log_state(*state);
  return present(globals, *run, resolve, render_run(*run, resolve), kExitDone);
}

}  // namespace

void declare_show(CLI::App& root, Action& chosen) {
  auto what = std::make_shared<std::string>();
  CLI::App* command = root.add_subcommand("show", "One run or one event in full");
  command->add_option("WHAT", *what, "RUN (id, prefix, latest, latest:MODULE) or SEQ (412)")
      ->required()
      ->type_name("RUN|SEQ");
  command->footer(
      "Example:\n  muniment show latest\n  muniment show 412\n\n"
      "Exit: 0 done, 2 usage, 5 damaged store, 7 nothing by that name");
  command->callback([what, &chosen] {
    chosen = [what](const Globals& globals, Redactor& secrets) {
      return show(*what, globals, secrets);
    };
  });
}

}  // namespace muniment
