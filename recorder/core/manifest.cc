#include "recorder/core/manifest.h"

#include <toml++/toml.h>

#include <algorithm>
#include <charconv>

#include "recorder/core/manifest_parts.h"
#include "recorder/core/manifest_reader.h"
#include "recorder/core/text.h"

namespace muniment {
namespace {

constexpr std::int64_t kSchema = 1;
constexpr int kHighestZstdLevel = 19;

void read_schema(TableReader& root) {
  root.require("schema", "`schema = 1` at the top");
  const toml::node* node = root.node("schema");
  if (node == nullptr) return;
  const auto* value = node->as_integer();
  if (value != nullptr && value->get() == kSchema) return;
  const bool newer = value != nullptr && value->get() > kSchema;
  root.complain("schema", std::string("`schema` is ") +
                              (newer ? "newer than this release reads" : "not what was expected") +
                              "; expected `schema = 1`" + (newer ? ", or a newer muniment" : ""));
}

// The name of a log in a signed note (C2SP signed-note): no blanks, no plus sign.
std::string origin_fault(std::string_view origin) {
  for (const char c : origin) {
    if (c <= ' ' || c > '~' || c == '+') {
      return "it holds a blank, a plus sign or a character that is not ASCII";
    }
  }
  return origin.size() > 255 ? "it is longer than 255 bytes" : "";
}

void read_host(TableReader& root, Manifest& out) {
  std::optional<TableReader> host = root.table("host", "[host]");
  if (!host) return;
  if (host->has("name")) out.host_name = read_name(*host, "name", "\"rs2000\"", false);
  if (std::optional<std::string> origin = host->text("origin")) {
    const std::string fault = origin_fault(*origin);
    if (fault.empty()) {
      out.origin = *origin;
    } else {
      host->complain("origin", "`origin` of [host] cannot name a log: " + fault +
                                   "; expected a name such as \"rs2000.example.org/muniment\"");
    }
  }
  if (std::optional<std::string> engine = host->text("engine")) {
    const bool socket = engine->starts_with("unix://") && path_error(engine->substr(7)).empty();
    if (*engine == "auto" || *engine == "none" || socket) {
      out.engine = *engine;
    } else {
      host->complain("engine", "`engine` of [host] is `" + inert_short(*engine, 80) +
                                   "`; expected `auto`, `none` or `unix:///PATH`" +
                                   suggest(*engine, {"auto", "none"}));
    }
  }
  out.release_root = host->path("release_root").value_or("");
  out.secrets_folder = host->path("secrets").value_or("");
  host->finish();
}

// "none", "zstd", "zstd:LEVEL".
bool read_compression(std::string_view word, Manifest& out) {
  out.compression = word.substr(0, word.find(':'));
  if (word == "none" || word == "zstd") return true;
  if (!word.starts_with("zstd:")) return false;
  const std::string_view digits = word.substr(5);
  const auto [rest, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), out.zstd_level);
  return error == std::errc() && rest == digits.data() + digits.size() && out.zstd_level >= 1 &&
         out.zstd_level <= kHighestZstdLevel;
}

void read_backup(TableReader& root, Manifest& out) {
  std::optional<TableReader> backup = root.table("backup", "[backup]");
  if (!backup) return;
  backup->require("root", "`root = \"/var/backups/muniment\"`, the folder that artifacts go to");
  out.backup_root = backup->path("root").value_or("");
  if (std::optional<std::string> word = backup->text("compression");
      word && !read_compression(*word, out)) {
    backup->complain("compression", "`compression` of [backup] is `" + inert_short(*word, 80) +
                                        "`; expected `none`, `zstd` or `zstd:LEVEL` with a level "
                                        "from 1 to 19" +
                                        suggest(*word, {"none", "zstd"}));
  }
  out.min_free_bytes = backup->size("min_free").value_or(0);
  backup->finish();
}

void read_evidence(TableReader& root, v1::Context& out) {
  std::optional<TableReader> evidence = root.table("evidence", "[evidence]");
  if (!evidence) return;
  out.set_story(evidence->text("story").value_or(""));
  out.set_why(evidence->text("why").value_or(""));
  out.set_decision(evidence->text("decision").value_or(""));
  for (std::string& text : evidence->texts("constraints")) out.add_constraints(std::move(text));
  for (std::string& text : evidence->texts("out_of_scope")) out.add_out_of_scope(std::move(text));
  for (std::string& text : evidence->texts("sources")) out.add_sources(std::move(text));
  evidence->finish();
}

void read_gates(TableReader& root, Manifest& out) {
  std::optional<TableReader> gates = root.table("gate", "[gate]");
  if (!gates) return;
  for (const auto& [key, value] : gates->all_known()) {
    const std::string name(key.str());
    if (!is_plain_name(name, 63, false)) {
      root.problems().add(
          position_of(key.source()),
          "`" + inert_short(name, 80) + "` cannot name a gate; expected a name such as `F3`");
      continue;
    }
    if (std::optional<TableReader> gate = gates->table(name, "[gate." + name + "]")) {
      out.gates[name] = read_gate(std::move(*gate), name);
    }
  }
}

Manifest read_all(TableReader& root) {
  Manifest out;
  read_schema(root);
  read_host(root, out);
  if (std::optional<TableReader> store = root.table("store", "[store]")) {
    out.store_path = store->path("path").value_or("");
    out.guard_path = store->path("guard").value_or("");
    store->finish();
  }
  read_backup(root, out);
  for (TableReader& module : root.tables("module", "[[module]]")) {
    out.modules.push_back(read_module(std::move(module)));
  }
  for (TableReader& exclude : root.tables("exclude", "[[exclude]]")) {
    out.excludes.push_back(read_exclude(std::move(exclude)));
  }
  read_gates(root, out);
  read_evidence(root, out.context);
  root.finish();
  return out;
}

}  // namespace

const Module* Manifest::find(std::string_view module) const {
  const auto found = std::find_if(modules.begin(), modules.end(),
                                  [&](const Module& one) { return one.name == module; });
  return found == modules.end() ? nullptr : &*found;
}

Result<Manifest> parse_manifest(std::string_view file, std::string_view text) {
  Problems problems;
  try {
    const toml::table table = toml::parse(text, file);
    TableReader root(problems, table, "the manifest");
    Manifest manifest = read_all(root);
    check_references(manifest, problems);
    if (problems.empty()) return manifest;
  } catch (const toml::parse_error& error) {
    problems.add(position_of(error.source()),
                 inert_short(error.description(), 300) + "; expected TOML 1.0");
  }
  return fail(ErrorCode::kInvalid, problems.text(file));
}

}  // namespace muniment
