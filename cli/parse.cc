#include "cli/parse.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <vector>

#include "cli/exit_code.h"
#include "cli/view.h"
#include "recorder/core/text.h"

namespace muniment {
namespace {

void add_globals(CLI::App& root, Globals& globals) {
  root.add_option("-m,--manifest", globals.manifest, "The manifest (muniment.toml)")
      ->type_name("FILE");
  root.add_option("-s,--store", globals.store, "The store")->type_name("DIR");
  root.add_option("--actor", globals.actor, "Who acts: operator:NAME, agent:NAME, ci, timer")
      ->type_name("KIND:NAME");
  root.add_flag("--json", globals.json, "One JSON document on standard output");
  root.add_flag("--jsonl", globals.jsonl, "Lists: one JSON document a line");
  root.add_option("--lock-wait", globals.lock_wait_seconds,
                  "How long to wait for another writer on the same store")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 86400.0));
  root.add_flag("-v,--verbose", globals.verbose, "Say every event");
  root.add_flag("-q,--quiet", globals.quiet, "Say errors alone");
  root.add_option("--log-format", globals.log_format, "How diagnostics are written")
      ->check(CLI::IsMember({"text", "json"}));
  root.add_option("--color", globals.color, "Colour at a terminal")
      ->check(CLI::IsMember({"auto", "always", "never"}));
}

int usage(const std::string& message) {
  std::fprintf(stderr, "muniment: %s\n", message.c_str());
  return kExitUsage;
}

std::string named_command(const CLI::App& root) {
  const auto chosen = root.get_subcommands();
  return chosen.empty() ? "" : " " + chosen.front()->get_name();
}

// The first word that is no option and no command: most likely a command misspelt.
std::string unknown_command(const CLI::App& root, int argc, char** argv) {
  std::vector<std::string> names;
  for (const CLI::App* command : root.get_subcommands({})) names.push_back(command->get_name());
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.starts_with('-')) continue;
    if (std::find(names.begin(), names.end(), word) != names.end()) return "";
    const std::string near = nearest_word(word, names);
    return "no command `" + inert_short(word, 60) + "`" +
           (near.empty() ? "" : "; did you mean `" + near + "`?");
  }
  return "";
}

// The first option that neither the command nor the program has.
std::string unknown_option(const CLI::App& root, int argc, char** argv) {
  std::vector<std::string> names;
  const auto collect = [&names](const CLI::App& app) {
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  };
  collect(root);
  for (const CLI::App* chosen : root.get_subcommands()) collect(*chosen);
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word == "--") break;
    if (!word.starts_with("--")) continue;
    word = word.substr(0, word.find('='));
    if (std::find(names.begin(), names.end(), word) != names.end()) continue;
    const std::string near = nearest_word(word, names);
    return "no option `" + inert_short(word, 60) + "`" +
           (near.empty() ? "" : "; did you mean `" + near + "`?");
  }
  return "";
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

int explain(const CLI::App& root, const CLI::ParseError& error, int argc, char** argv) {
  std::string message = unknown_command(root, argc, argv);
  if (message.empty()) message = unknown_option(root, argc, argv);
  if (message.empty()) message = inert(first_line(error.what()));
  return usage(message + "; see `muniment" + named_command(root) + " --help`");
}

}  // namespace

std::optional<int> parse(int argc, char** argv, Globals& globals, Action& action) {
  CLI::App root{
      "Muniment: a flight recorder for stateful cutovers.\n"
      "Rehearse a backup, take it, and prove what happened.",
      "muniment"};
  root.set_version_flag("--version", std::string("muniment ") + MUNIMENT_VERSION);
  root.require_subcommand(1);
  root.fallthrough();
  root.option_defaults()->ignore_case(false);
  root.footer(
      "Example:\n  muniment init && muniment backup --dry-run --all\n\n"
      "Exit: 0 done, 1 failed, 2 usage, 3 gate closed, 4 drift, 5 verification failed,\n"
      "      6 store busy, 7 not found, 8 unreachable, 130 interrupted");
  add_globals(root, globals);
  for (const Declare declare : kCommands) declare(root, action);
  try {
    root.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const auto chosen = root.get_subcommands();
    print(chosen.empty() ? root.help() : chosen.front()->help(root.get_name()));
    return kExitDone;
  } catch (const CLI::CallForVersion& version) {
    print(std::string(version.what()) + "\n");
    return kExitDone;
  } catch (const CLI::ParseError& error) {
    return explain(root, error, argc, argv);
  }
  return std::nullopt;
}

bool is_located(const std::string& message) {
  // FILE ":" digits ":" digits ": "
  std::size_t at = message.find(": ");
  for (int part = 0; part < 2; ++part) {
    if (at == std::string::npos || at == 0) return false;
    const std::size_t end = at;
    while (at > 0 && std::isdigit(static_cast<unsigned char>(message[at - 1])) != 0) --at;
    if (at == end || at == 0 || message[at - 1] != ':') return false;
    --at;
  }
  return true;
}

}  // namespace muniment
