#include "cli/parse.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <charconv>
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
  root.add_option("--guard", globals.guard, "The guard folder: what was signed last")
      ->type_name("DIR");
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

// The option that a word names: of the command, if one was named already, or a global one.
const CLI::Option* find_option(const CLI::App& root, const CLI::App* command,
                               const std::string& word) {
  const std::string name =
      word.starts_with("--") ? word.substr(0, word.find('=')) : word.substr(0, 2);  // -mFILE
  const CLI::Option* found = command == nullptr ? nullptr : command->get_option_no_throw(name);
  return found != nullptr ? found : root.get_option_no_throw(name);
}

bool takes_next_word(const CLI::Option& option, const std::string& word) {
  const bool has_value =
      word.starts_with("--") ? word.find('=') != std::string::npos : word.size() > 2;
  return option.get_items_expected_max() > 0 && !has_value;
}

std::string no_such(const std::string& what, const std::string& word,
                    const std::vector<std::string>& names) {
  const std::string near = nearest_word(word, names);
  return "no " + what + " `" + inert_short(word, 60) + "`" +
         (near.empty() ? "" : "; did you mean `" + near + "`?");
}

std::string no_such_option(const CLI::App& root, const CLI::App* command, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::App* app : {command, &root}) {
    if (app == nullptr) continue;
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return no_such("option", word.substr(0, word.find('=')), names);
}

// The first word that is neither an option nor a command, most likely one misspelt; "" for none.
std::string unknown_word(const CLI::App& root, int argc, char** argv) {
  std::vector<std::string> names;
  for (const CLI::App* app : root.get_subcommands({})) names.push_back(app->get_name());
  const CLI::App* command = nullptr;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--") return "";
    if (word.size() > 1 && word.starts_with('-')) {
      const CLI::Option* option = find_option(root, command, word);
      if (option == nullptr) return no_such_option(root, command, word);
      if (takes_next_word(*option, word)) ++i;
    } else if (command == nullptr) {
      if (std::find(names.begin(), names.end(), word) == names.end()) {
        return no_such("command", word, names);
      }
      command = root.get_subcommand(word);
    }
  }
  return "";
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

int explain(const CLI::App& root, const CLI::ParseError& error, int argc, char** argv) {
  std::string message = unknown_word(root, argc, argv);
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
    const bool said = print(chosen.empty() ? root.help() : chosen.front()->help(root.get_name()));
    return said ? kExitDone : kExitFailed;
  } catch (const CLI::CallForVersion& version) {
    return print(std::string(version.what()) + "\n") ? kExitDone : kExitFailed;
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

Result<std::uint64_t> parse_sequence(std::string_view word, std::string_view see) {
  const std::string_view digits = word.starts_with('#') ? word.substr(1) : word;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc() && end == digits.data() + digits.size()) return value;
  return fail(ErrorCode::kInvalid, "`" + inert_short(word, 80) +
                                       "` is no event; expected a sequence like 412, see `" +
                                       std::string(see) + "`");
}

}  // namespace muniment
