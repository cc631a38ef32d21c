#include <memory>

#include "cli/command_table.h"
#include "cli/exit_code.h"
#include "cli/view.h"

namespace muniment {
namespace {

std::string options_of(const CLI::App& app) {
  std::string out;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) out += " --" + name;
  }
  return out;
}

// The words of one function for bash; zsh reads it through bashcompinit.
std::string bash_script(const CLI::App& root) {
  std::string names;
  std::string choices;
  std::string cases;
  for (const CLI::App* command : root.get_subcommands({})) {
    const std::string& name = command->get_name();
    names += " " + name;
    choices += (choices.empty() ? "" : "|") + name;
    cases += "    " + name + ") words='" + options_of(*command).substr(1) + "' ;;\n";
  }
  return "_muniment() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} command= word words\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    case $word in " +
         choices +
         ") command=$word; break ;; esac\n"
         "  done\n"
         "  case $command in\n" +
         cases + "    *) words='" + names.substr(1) +
         "' ;;\n"
         "  esac\n"
         "  words+='" +
         options_of(root) +
         "'\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
         "}\n"
         "complete -o default -F _muniment muniment\n";
}

std::string zsh_script(const CLI::App& root) {
  std::string script = bash_script(root);
  const std::string mapfile = "mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")";
  script.replace(script.find(mapfile), mapfile.size(),
                 "COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))");
  return "#compdef muniment\nautoload -U +X bashcompinit && bashcompinit\n" + script;
}

// In single quotes.
std::string in_quotes(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("\\'") : std::string(1, c);
  return out + "'";
}

void add_fish_options(const CLI::App& app, const std::string& condition, std::string& out) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      out += "complete -c muniment" + condition + " -l " + name +
             (option->get_items_expected_max() > 0 ? " -r" : "") + " -d " +
             in_quotes(option->get_description()) + "\n";
    }
  }
}

std::string fish_script(const CLI::App& root) {
  std::string out;
  add_fish_options(root, "", out);
  for (const CLI::App* command : root.get_subcommands({})) {
    out += "complete -c muniment -n __fish_use_subcommand -a " + command->get_name() + " -d " +
           in_quotes(command->get_description()) + "\n";
    add_fish_options(*command, " -n '__fish_seen_subcommand_from " + command->get_name() + "'",
                     out);
  }
  return out;
}

}  // namespace

void declare_completion(CLI::App& root, Action& chosen) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = root.add_subcommand("completion", "Print the completion for a shell");
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->footer(
      "Example:\n  muniment completion bash >/etc/bash_completion.d/muniment\n\n"
      "Exit: 0 done, 2 usage");
  // The definitions are gone when the command runs: the text is made now.
  command->callback([shell, &root, &chosen] {
    std::string text = *shell == "bash"  ? bash_script(root)
                       : *shell == "zsh" ? zsh_script(root)
                                         : fish_script(root);
    chosen = [text = std::move(text)](const Globals&, Redactor&) -> Result<int> {
      return print(text) ? kExitDone : kExitFailed;
    };
  });
}

}  // namespace muniment
