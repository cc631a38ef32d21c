// [[exclude]], [gate.NAME], and what holds between the tables.
#include <algorithm>
#include <set>

#include "recorder/core/manifest_parts.h"
#include "recorder/core/text.h"

namespace muniment {
namespace {

constexpr std::int64_t kMostApprovals = 16;
constexpr std::chrono::seconds kLongestApproval{24 * 3600};

const std::vector<std::string_view> kGuarded = {"backup", "exec", "restore"};
const std::vector<std::string_view> kMatches = {"path",   "module", "service",
                                                "volume", "mount",  "label"};

// A condition is a word with a value: how old the proof may be, `true`, or a name.
enum class NeedValue { kDuration, kTrue, kName };
struct NeedWord {
  std::string_view word;
  NeedValue value;
  // The guarded command that alone can supply it: a gate on that command would never open.
  std::string_view supplied_by;
};
constexpr NeedWord kNeeds[] = {
    {"dry_run", NeedValue::kDuration, ""},
    {"no_drift", NeedValue::kTrue, ""},
    {"verified_backup", NeedValue::kDuration, "backup"},
    {"clean_release", NeedValue::kTrue, ""},
    {"restore_test", NeedValue::kDuration, ""},
    {"check", NeedValue::kName, ""},
};

std::optional<Need> read_need(TableReader reader) {
  std::vector<std::string_view> words;
  std::optional<Need> out;
  for (const NeedWord& need : kNeeds) {
    words.push_back(need.word);
    if (!reader.has(need.word)) continue;
    out = Need{.name = std::string(need.word), .within = {}, .value = {}};
    if (need.value == NeedValue::kDuration) {
      out->within = reader.duration(need.word);
    } else if (need.value == NeedValue::kName) {
      out->value = reader.text(need.word).value_or("");
    } else if (reader.flag(need.word) == false) {
      reader.complain(need.word,
                      "`" + out->name + "` is false; expected true, or no such condition");
    }
  }
  const toml::table& table = reader.all_known();
  for (const auto& [key, value] : table) {
    if (std::find(words.begin(), words.end(), key.str()) != words.end()) continue;
    reader.problems().add(position_of(key.source()),
                          "unknown condition `" + inert_short(key.str(), 80) + "` in " +
                              reader.name() + "; expected " + list_words(words) +
                              suggest(key.str(), words));
  }
  if (table.size() == 1) return out;
  reader.problems().add(reader.at(), "each condition in " + reader.name() +
                                         " is one word with its value, `{ dry_run = \"24h\" }`");
  return std::nullopt;
}

std::vector<Need> read_needs(TableReader& reader, std::string_view key, const Gate& gate,
                             const std::string& guarded) {
  std::vector<Need> out;
  for (TableReader& one : reader.tables(key, "{ dry_run = \"24h\" }")) {
    one.rename("the needs of gate `" + gate.name + "`");
    const Position at = one.at();
    const std::optional<Need> need = read_need(std::move(one));
    if (!need) continue;
    for (const NeedWord& row : kNeeds) {
      if (row.word != need->name || row.supplied_by != guarded) continue;
      reader.problems().add(at, "`" + need->name + "` for `" + guarded + "` in gate `" + gate.name +
                                    "` can be supplied by `" + guarded +
                                    "` alone, so the gate would never open; take it out");
    }
    out.push_back(*need);
  }
  return out;
}

// A list holds for all guarded commands; a table has one list for each.
void read_all_needs(TableReader& reader, Gate& out) {
  const toml::node* node = reader.node("needs");
  if (node == nullptr) return;
  if (node->is_array()) {
    for (const std::string& guarded : out.guards) {
      out.needs[guarded] = read_needs(reader, "needs", out, guarded);
    }
    return;
  }
  std::optional<TableReader> table = reader.table("needs", "needs of gate `" + out.name + "`");
  if (!table) return;
  for (const std::string_view word : kGuarded) {
    const std::string guarded(word);
    if (!table->has(guarded)) continue;
    if (std::find(out.guards.begin(), out.guards.end(), guarded) == out.guards.end()) {
      table->complain(guarded, "`" + guarded + "` is not among the `guards` of gate `" + out.name +
                                   "`; add it there or take it out here");
    }
    out.needs[guarded] = read_needs(*table, guarded, out, guarded);
  }
  for (const std::string_view word : kGuarded) table->node(word);
  table->finish();
}

void check_module(const Manifest& manifest, const Module& module, Problems& problems) {
  std::vector<std::string_view> names;
  for (const Module& other : manifest.modules) names.emplace_back(other.name);
  if (!module.gate.empty() && !manifest.gates.contains(module.gate)) {
    std::vector<std::string_view> gates;
    for (const auto& [name, gate] : manifest.gates) gates.emplace_back(name);
    problems.add(module.at, "module `" + module.name + "` names gate `" +
                                inert_short(module.gate, 80) + "`, and there is no such [gate.…]" +
                                suggest(module.gate, gates));
  }
  std::set<std::string> ids;
  for (const Member& member : module.members) {
    if (!member.id.empty() && !ids.insert(member.id).second) {
      problems.add(member.at, "two members of module `" + module.name + "` have the id `" +
                                  member.id + "`; give each its own");
    }
    if (member.module.empty()) continue;
    const Module* other = manifest.find(member.module);
    if (other == nullptr) {
      problems.add(member.at, "member `" + member.id + "` names module `" +
                                  inert_short(member.module, 80) +
                                  "`, and there is no such module" + suggest(member.module, names));
    } else if (other->backup_class == v1::BACKUP_CLASS_COMPOSITE) {
      problems.add(member.at, "member `" + member.id + "` names module `" + member.module +
                                  "`, which is composite itself; name its members");
    }
  }
}

bool lies_within(std::string_view path, std::string_view folder) {
  if (folder == "/") return true;
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

void check_folders(const Manifest& manifest, Problems& problems) {
  const std::string& root = manifest.backup_root;
  const std::string& store = manifest.store_path;
  if (root.empty() || store.empty()) return;
  if (!lies_within(root, store) && !lies_within(store, root)) return;
  problems.add({}, "the store " + inert(store) + " and the backup root " + inert(root) +
                       " lie in one another; expected two folders apart");
}

}  // namespace

Exclude read_exclude(TableReader reader) {
  Exclude out;
  out.at = reader.at();
  out.id = read_name(reader, "id", "`id = \"X1\"`", false);
  if (!out.id.empty()) reader.rename("exclude `" + out.id + "`");
  reader.require("reason", "`reason = \"…\"`: why it is left out");
  out.reason = reader.text("reason").value_or("");
  reader.require("match", "`match = { path = \"/srv/deploy/**\" }`");
  if (std::optional<TableReader> match = reader.table("match", "match of " + reader.name())) {
    int count = 0;
    for (const std::string_view kind : kMatches) {
      const std::optional<std::string> pattern = match->text(kind);
      if (!match->has(kind)) continue;
      ++count;
      out.kind = kind;
      out.pattern = pattern.value_or("");
    }
    match->finish();
    if (count != 1)
      reader.complain("match", match->name() + " needs exactly one of " + list_words(kMatches));
    const bool is_path = out.kind == "path" || out.kind == "mount";
    const std::string fault = is_path && !out.pattern.empty() ? pattern_fault(out.pattern) : "";
    if (!fault.empty()) {
      match->complain(out.kind, "`" + out.kind + "` of " + match->name() + " is `" +
                                    inert_short(out.pattern, 80) + "`: " + fault);
    }
  }
  reader.finish();
  return out;
}

Gate read_gate(TableReader reader, const std::string& name) {
  Gate out;
  out.at = reader.at();
  out.name = name;
  reader.require("guards", "`guards = [\"backup\"]`");
  out.guards = reader.texts("guards", [](const std::string& word) -> std::string {
    if (std::find(kGuarded.begin(), kGuarded.end(), word) != kGuarded.end()) return "";
    return "expected " + list_words(kGuarded) + suggest(word, kGuarded);
  });
  out.signers = reader.path("signers").value_or("");
  out.approvals =
      static_cast<std::uint32_t>(reader.number("approvals", 1, kMostApprovals).value_or(1));
  out.no_self_approval = reader.flag("no_self_approval").value_or(false);
  out.expires = reader.duration("expires").value_or(kLongestApproval);
  if (out.expires > kLongestApproval) {
    reader.complain(
        "expires", "`expires` of gate `" + name + "` is longer than 24h; expected at most \"24h\"");
  }
  out.keys = reader.word("keys", {"sk"}).value_or("");
  read_all_needs(reader, out);
  reader.finish();
  return out;
}

void check_references(const Manifest& manifest, Problems& problems) {
  std::set<std::string> names;
  for (const Module& module : manifest.modules) {
    if (!module.name.empty() && !names.insert(module.name).second) {
      problems.add(module.at,
                   "two modules are named `" + module.name + "`; give each its own name");
    }
    check_module(manifest, module, problems);
  }
  std::set<std::string> ids;
  const std::vector<std::string_view> words(names.begin(), names.end());
  for (const Exclude& rule : manifest.excludes) {
    if (!rule.id.empty() && !ids.insert(rule.id).second) {
      problems.add(rule.at, "two exclusions have the id `" + rule.id + "`; give each its own");
    }
    if (rule.kind == "module" && !rule.pattern.empty() && !names.contains(rule.pattern)) {
      problems.add(rule.at, "exclude `" + rule.id + "` names module `" +
                                inert_short(rule.pattern, 80) + "`, and there is no such module" +
                                suggest(rule.pattern, words));
    }
  }
  check_folders(manifest, problems);
}

}  // namespace muniment
