// [[module]]: its words, and which of them go with which class.
#include <algorithm>

#include "recorder/core/backup_class.h"
#include "recorder/core/glob.h"
#include "recorder/core/manifest_parts.h"
#include "recorder/core/text.h"

namespace muniment {
namespace {

constexpr std::size_t kMostNameBytes = 63;

// The words that not every class takes; a class is named by the manifest's word.
struct ClassWords {
  std::string_view class_word;
  std::vector<std::string_view> words;
};

const std::vector<ClassWords>& words_by_class() {
  static const std::vector<ClassWords> kRows = {
      {"auto",
       {"paths", "volumes", "exclude", "allow_empty", "databases", "globals", "checks", "auth"}},
      {"postgres", {"databases", "globals", "checks", "auth"}},
      {"mariadb", {"databases", "globals", "checks", "auth"}},
      {"redis", {"auth"}},
      {"sqlite", {"paths", "checks"}},
      {"files", {"paths", "volumes", "exclude", "allow_empty"}},
      {"command", {"argv", "check", "auth", "timeout"}},
      {"composite", {"member", "quiesce"}},
      {"none", {"reason"}},
  };
  return kRows;
}

std::vector<std::string_view> class_words() {
  std::vector<std::string_view> words;
  for (const ClassWords& row : words_by_class()) words.push_back(row.class_word);
  return words;
}

// A word that is there and does not go with the class; which classes it goes with.
void check_class_words(TableReader& reader, std::string_view chosen) {
  std::vector<std::string_view> all;
  for (const ClassWords& row : words_by_class()) {
    all.insert(all.end(), row.words.begin(), row.words.end());
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  for (const std::string_view word : all) {
    if (!reader.has(word)) continue;
    std::vector<std::string_view> classes;
    for (const ClassWords& row : words_by_class()) {
      if (std::find(row.words.begin(), row.words.end(), word) != row.words.end()) {
        classes.push_back(row.class_word);
      }
    }
    if (std::find(classes.begin(), classes.end(), chosen) != classes.end()) continue;
    reader.complain(word, "`" + std::string(word) + "` does not go with class `" +
                              std::string(chosen) + "` of " + reader.name() + "; it goes with " +
                              list_words(classes));
  }
}

std::vector<std::string> read_paths(TableReader& reader) {
  std::vector<std::string> paths = reader.texts("paths", [](const std::string& path) {
    const std::string_view wrong = path_error(path);
    return wrong.empty() ? "" : std::string(wrong) + "; expected an absolute path";
  });
  for (std::string& path : paths) {
    if (path.size() > 1 && path.ends_with('/')) path.pop_back();
  }
  return paths;
}

std::vector<std::string> read_volumes(TableReader& reader) {
  return reader.texts("volumes", [](const std::string& name) {
    return is_plain_name(name, 255, false) ? "" : std::string("expected the name of a volume");
  });
}

bool is_variable(std::string_view name) {
  if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// Absent: it is none of the words. The value is never part of a message: it may be a password.
std::optional<AuthWord> parse_auth_word(const std::string& text, bool literal_allowed) {
  if (text == "trust") return AuthWord{AuthWord::Kind::kTrust, ""};
  const std::size_t colon = text.find(':');
  const std::string kind = text.substr(0, colon);
  const std::string name = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (kind == "env" && is_variable(name)) return AuthWord{AuthWord::Kind::kEnv, name};
  if (kind == "file-env" && is_variable(name)) return AuthWord{AuthWord::Kind::kFileEnv, name};
  if (kind == "secret" && is_plain_name(name, 255, false)) {
    return AuthWord{AuthWord::Kind::kSecret, name};
  }
  if (!literal_allowed || colon != std::string::npos) return std::nullopt;
  return AuthWord{AuthWord::Kind::kLiteral, text};
}

std::vector<AuthWord> read_auth_words(TableReader& reader, std::string_view key,
                                      bool literal_allowed) {
  std::vector<AuthWord> out;
  for (const TableReader::Placed& one : reader.text_or_texts(key)) {
    std::optional<AuthWord> word = parse_auth_word(one.text, literal_allowed);
    if (word) {
      out.push_back(std::move(*word));
      continue;
    }
    reader.problems().add(
        one.at, "`" + std::string(key) + "` of " + reader.name() +
                    " is no reference (its value is not shown); expected `trust`, `env:NAME`, "
                    "`file-env:NAME` or `secret:NAME`" +
                    (literal_allowed ? ", or a user name without a colon" : "") +
                    (literal_allowed ? "" : ": a secret never stands in the manifest"));
  }
  return out;
}

Auth read_auth(TableReader& module) {
  Auth out;
  std::optional<TableReader> auth = module.table("auth", "auth of " + module.name());
  if (!auth) return out;
  out.user = read_auth_words(*auth, "user", true);
  out.password = read_auth_words(*auth, "password", false);
  auth->finish();
  return out;
}

ContainerSelector read_container(TableReader& module) {
  ContainerSelector out;
  std::optional<TableReader> reader = module.table("container", "container of " + module.name());
  if (!reader) return out;
  const std::optional<std::string> compose = reader->text("compose");
  out.name = reader->text("name").value_or("");
  out.label = reader->text("label").value_or("");
  reader->finish();
  if (reader->has("compose") + reader->has("name") + reader->has("label") != 1) {
    module.complain("container",
                    reader->name() + " needs exactly one of `compose`, `name` and `label`");
  }
  if (compose) {
    const std::size_t slash = compose->find('/');
    out.compose_project = compose->substr(0, slash);
    if (slash != std::string::npos) out.compose_service = compose->substr(slash + 1);
    if (!is_plain_name(out.compose_project, 255, false) ||
        !is_plain_name(out.compose_service, 255, false)) {
      reader->complain("compose", "`compose` is `" + inert_short(*compose, 80) +
                                      "`; expected \"project/service\"");
    }
  }
  if (!out.label.empty() && (out.label.find('=') == std::string::npos || out.label[0] == '=')) {
    reader->complain("label",
                     "`label` is `" + inert_short(out.label, 80) + "`; expected \"key=value\"");
  }
  return out;
}

std::optional<Quiesce> read_quiesce(TableReader& module) {
  std::optional<TableReader> reader = module.table("quiesce", "quiesce of " + module.name());
  if (!reader) return std::nullopt;
  Quiesce out;
  reader->require("method", "`method = \"pause\"`");
  out.method = reader->word("method", {"pause", "stop", "exec", "none"}).value_or("none");
  out.timeout = reader->duration("timeout").value_or(out.timeout);
  out.on = reader->texts("on");
  out.off = reader->texts("off");
  out.user = reader->text("user").value_or("");
  for (const char* word : {"on", "off", "user"}) {
    if (out.method != "exec" && reader->has(word)) {
      reader->complain(word, "`" + std::string(word) + "` goes with method `exec` alone");
    }
  }
  if (out.method == "exec" && (out.on.empty() || out.off.empty())) {
    reader->complain("method", "method `exec` needs `on` and `off`, each a command as a list");
  }
  reader->finish();
  return out;
}

std::optional<OutputCheck> read_output_check(TableReader& module) {
  std::optional<TableReader> reader = module.table("check", "check of " + module.name());
  if (!reader) return std::nullopt;
  OutputCheck out;
  out.magic = reader->text("magic").value_or("");
  out.trailer = reader->text("trailer").value_or("");
  out.least_bytes = reader->size("min_size").value_or(0);
  if (reader->has("magic") + reader->has("trailer") + reader->has("min_size") != 1) {
    module.complain("check",
                    reader->name() + " needs exactly one of `magic`, `trailer` and `min_size`");
  }
  reader->finish();
  return out;
}

Member read_member(TableReader reader, const std::string& module) {
  Member out;
  out.at = reader.at();
  reader.rename("a member of " + module);
  out.id = read_name(reader, "id", "`id = \"db\"`", true);
  if (!out.id.empty()) reader.rename("member `" + out.id + "` of " + module);
  out.module = reader.text("module").value_or("");
  const std::optional<std::string> word = reader.word("class", {"files", "sqlite"});
  if (word) out.backup_class = class_of_word(*word);
  out.paths = read_paths(reader);
  out.volumes = read_volumes(reader);
  out.exclude = reader.texts("exclude", pattern_fault);
  if (reader.has("module") == reader.has("class")) {
    reader.problems().add(out.at, reader.name() +
                                      " needs either `module`, the name of another module, or "
                                      "`class` with its paths");
  }
  for (const char* extra : {"paths", "volumes", "exclude"}) {
    if (reader.has("module") && reader.has(extra)) {
      reader.complain(extra, "`" + std::string(extra) + "` goes with `class`, not with `module`");
    }
  }
  if (word && out.paths.empty() && out.volumes.empty()) {
    reader.problems().add(out.at, reader.name() + " needs `paths` or `volumes`");
  }
  if (word == "sqlite" && (out.paths.size() > 1 || !out.volumes.empty())) {
    reader.complain("class", reader.name() + " needs exactly one path, the database");
  }
  reader.finish();
  return out;
}

// Where the data is: a host path, or a container with what the class needs in it.
void check_place(TableReader& reader, const Module& module, const std::string& word) {
  const bool host = reader.has("host");
  const bool container = reader.has("container");
  if (host && container) {
    reader.complain("host", reader.name() + " has both `host` and `container`; keep one");
    return;
  }
  if (!host && !container && word != "composite" && word != "none") {
    reader.problems().add(reader.at(), reader.name() +
                                           " does not say where its data is; expected `host = { "
                                           "path = \"/…\" }` or `container = { … }`");
  }
  if (host && word != "sqlite" && word != "files" && word != "auto" && word != "none") {
    reader.complain("host", "`host` does not go with class `" + word + "` of " + reader.name() +
                                "; it goes with `auto`, `sqlite` or `files`");
  }
  for (const char* inside : {"paths", "volumes"}) {
    if (host && reader.has(inside)) {
      reader.complain(inside, "`" + std::string(inside) + "` of " + reader.name() +
                                  " lie in a container; with `host` write host.path alone");
    }
  }
  if (!container) return;
  if (word == "sqlite" && module.paths.size() != 1) {
    reader.complain("paths", reader.name() +
                                 " needs `paths` with exactly one path, the database in the "
                                 "container");
  }
  if (word == "files" && module.paths.empty() && module.volumes.empty()) {
    reader.problems().add(reader.at(), reader.name() + " needs `paths` or `volumes`");
  }
}

void check_required(TableReader& reader, const Module& module, const std::string& word) {
  if (word == "none") reader.require("reason", "`reason = \"…\"`: why it holds no data");
  if (word == "composite") reader.require("member", "a [[module.member]]");
  if (word == "command") {
    reader.require("argv", "`argv = [\"/usr/bin/dump\", \"--all\"]`");
    reader.require("check", "`check = { magic = \"…\" }`, or a `trailer`, or a `min_size`");
  }
  check_place(reader, module, word);
}

std::string read_host_path(TableReader& module) {
  std::optional<TableReader> host = module.table("host", "host of " + module.name());
  if (!host) return "";
  host->require("path", "`path = \"/…\"`");
  std::string path = host->path("path").value_or("");
  host->finish();
  return path;
}

}  // namespace

std::string pattern_fault(const std::string& pattern) {
  const std::string_view wrong = glob_error(pattern);
  return wrong.empty() ? "" : std::string(wrong) + "; expected an absolute path pattern";
}

Module read_module(TableReader reader) {
  Module out;
  out.at = reader.at();
  out.name = read_name(reader, "name", "`name = \"notes\"`", true);
  if (!out.name.empty()) reader.rename("module `" + out.name + "`");
  const std::string word = reader.word("class", class_words()).value_or("auto");
  out.backup_class = class_of_word(word);
  out.container = read_container(reader);
  out.host_path = read_host_path(reader);
  out.paths = read_paths(reader);
  out.volumes = read_volumes(reader);
  out.exclude = reader.texts("exclude", pattern_fault);
  out.allow_empty = reader.flag("allow_empty").value_or(false);
  out.databases = reader.texts("databases");
  out.globals = reader.flag("globals");
  out.checks = reader.texts("checks");
  out.auth = read_auth(reader);
  out.argv = reader.texts("argv");
  out.check = read_output_check(reader);
  out.timeout = reader.duration("timeout");
  out.quiesce = read_quiesce(reader);
  for (TableReader& member : reader.tables("member", "[[module.member]]")) {
    out.members.push_back(read_member(std::move(member), reader.name()));
  }
  out.gate = reader.text("gate").value_or("");
  out.reason = reader.text("reason").value_or("");
  reader.finish();
  check_class_words(reader, word);
  check_required(reader, out, word);
  return out;
}

bool is_plain_name(std::string_view name, std::size_t most, bool lower) {
  if (name.empty() || name.size() > most) return false;
  return std::all_of(name.begin(), name.end(), [&](const char& c) {
    const bool letter = (c >= 'a' && c <= 'z') || (!lower && c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    return letter || digit || (&c != name.data() && (c == '.' || c == '_' || c == '-'));
  });
}

std::string read_name(TableReader& reader, std::string_view key, std::string_view example,
                      bool lower) {
  reader.require(key, example);
  const std::optional<std::string> name = reader.text(key);
  if (!name) return "";
  if (is_plain_name(*name, kMostNameBytes, lower)) return *name;
  reader.complain(key, "`" + std::string(key) + "` of " + reader.name() + " is `" +
                           inert_short(*name, 80) + "`; expected " +
                           (lower ? "lower-case letters" : "letters") +
                           ", digits, `.`, `_` and `-`, a letter or digit first, at most 63");
  return "";
}

}  // namespace muniment
