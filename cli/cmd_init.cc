#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "cli/app.h"
#include "cli/command_table.h"
#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/present.h"
#include "recorder/core/notation.h"
#include "recorder/core/text.h"
#include "recorder/log/sign.h"
#include "recorder/world/host_source.h"

namespace muniment {
namespace {

std::string toml_quote(const std::string& text) {
  return json_quote(valid_utf8(text));  // a TOML basic string has JSON's escapes
}

std::string first_manifest(const std::string& store, const std::string& root) {
  return "# Muniment's manifest: what is backed up, how, and where to. Strict TOML; nothing in it "
         "is a secret.\n"
         "schema = 1\n\n"
         "[host]\n"
         "engine = \"auto\"               # auto | none | unix:///path/of/docker.sock\n\n"
         "[store]\n"
         "path = " +
         toml_quote(store) +
         "\n\n"
         "[backup]\n"
         "root        = " +
         toml_quote(root) +
         "\n"
         "compression = \"zstd\"          # zstd[:LEVEL] | none\n"
         "min_free    = \"512MiB\"        # kept free after the estimate\n\n"
         "# One [[module]] for each service that holds data:\n"
         "#\n"
         "# [[module]]\n"
         "# name  = \"notes\"\n"
         "# host  = { path = \"/srv/notes/notes.db\" }\n"
         "# class = \"sqlite\"\n"
         "#\n"
         "# [[module]]\n"
         "# name    = \"papers\"\n"
         "# host    = { path = \"/srv/papers\" }\n"
         "# class   = \"files\"\n"
         "# exclude = [\"/srv/papers/cache\"]\n"
         "#\n"
         "# [[module]]\n"
         "# name      = \"shop-db\"\n"
         "# container = { compose = \"shop/db\" }   # or { name = \"…\" }, { label = \"key=value\" "
         "}\n"
         "# class     = \"postgres\"                 # or left out: the container is asked\n";
}

Status write_new_file(const std::string& path, const std::string& text) {
  const auto failed = [&](const char* what) {
    return fail(ErrorCode::kIo, inert(path) + " cannot be " + what + ": " + std::strerror(errno));
  };
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return failed("created");
  Status status;
  const bool whole = fchmod(fd, 0600) == 0 &&
                     write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                     fsync(fd) == 0;
  if (!whole) status = failed("written");
  close(fd);
  if (!status) unlink(path.c_str());
  return status;
}

std::string default_root() {
  if (geteuid() == 0) return "/var/backups/muniment";
  return environment("HOME").value_or("/var/tmp") + "/muniment-backups";
}

void add_step(v1::InitReport& report, const std::string& what, const std::string& path, bool made) {
  v1::InitStep& step = *report.add_steps();
  step.set_what(what);
  step.set_path(valid_utf8(path));
  step.set_created(made);
}

Result<std::string> origin_for(const Globals& globals, Redactor& secrets) {
  std::string name = observe_host_name();
  if (!manifest_path(globals)) return name + "/muniment";
  Result<LoadedManifest> loaded = load_manifest(globals, secrets);
  if (!loaded) return pass(loaded);
  if (!loaded->manifest.host_name.empty()) name = loaded->manifest.host_name;
  return loaded->manifest.origin.empty() ? name + "/muniment" : loaded->manifest.origin;
}

// The place a manifest is made at: the one that was named, else here.
std::string new_manifest_path(const Globals& globals) {
  const std::optional<std::string> named = manifest_path(globals);
  return named ? *named : "./muniment.toml";
}

std::string text_of(const v1::InitReport& report) {
  std::string out;
  for (const v1::InitStep& step : report.steps()) {
    out += (step.created() ? "created   " : "untouched ") + step.what() + " " + inert(step.path()) +
           "\n";
  }
  return out;
}

// The log's own origin: the store may be older than the manifest that is read now.
Status make_key(const Globals& globals, Redactor& secrets, const std::string& folder,
                bool had_manifest, v1::InitReport& report) {
  const bool had_key = has_log_key(folder);
  if (!had_key) {
    Result<std::unique_ptr<LogReader>> log = open_reader(folder);
    if (!log) return pass(log);
    Result<v1::StoreState> state = (*log)->state();
    if (!state) return pass(state);
    Result<std::string> guard = guard_path(globals, secrets, folder, had_manifest);
    if (!guard) return pass(guard);
    Result<LogKey> key = make_log_key(folder, state->origin());
    if (!key) return pass(key);
    const Status known = introduce_to_guard(folder, key->verifier, *guard);
    if (!known) say_warning("the guard does not know this log yet: " + known.error().message);
  }
  add_step(report, "key", folder + "/key", !had_key);
  return {};
}

Result<int> init(const std::string& group, const Globals& globals, Redactor& secrets) {
  const std::string manifest = new_manifest_path(globals);
  const bool had_manifest = access(manifest.c_str(), F_OK) == 0;
  Result<std::string> folder = store_path(globals, secrets, had_manifest);
  if (!folder) return pass(folder);
  Result<std::string> origin = had_manifest
                                   ? origin_for(globals, secrets)
                                   : Result<std::string>(observe_host_name() + "/muniment");
  if (!origin) return pass(origin);
  v1::InitReport report;
  const bool had_store = probe_store(*folder) == StoreKind::kPresent;
  if (!had_store) {
    Status status = create_store(*folder, {.origin = *origin, .reading_group = group});
    // What lies there is for the caller to name otherwise; no gate is closed.
    if (!status && status.error().code == ErrorCode::kRefused) {
      return fail(ErrorCode::kInvalid, status.error().message);
    }
    if (!status) return pass(status);
  }
  add_step(report, "store", *folder, !had_store);
  if (Status keyed = make_key(globals, secrets, *folder, had_manifest, report); !keyed)
    return pass(keyed);
  if (!had_manifest) {
    Status status = write_new_file(manifest, first_manifest(*folder, default_root()));
    if (!status) return pass(status);
  }
  add_step(report, "manifest", manifest, !had_manifest);
  return present(globals, report, {}, text_of(report), kExitDone);
}

}  // namespace

void declare_init(CLI::App& root, Action& chosen) {
  auto group = std::make_shared<std::string>();
  CLI::App* command = root.add_subcommand(
      "init",
      "Create whichever of store, key and manifest is missing; leave what is there untouched");
  command->add_option("--group", *group, "Let this group read the store")->type_name("NAME");
  command->footer(
      "Example:\n  muniment init\n\n"
      "Exit: 0 done, 1 a file or folder cannot be made, 2 usage, manifest, or something else lies "
      "there");
  command->callback([group, &chosen] {
    chosen = [group](const Globals& globals, Redactor& secrets) {
      return init(*group, globals, secrets);
    };
  });
}

}  // namespace muniment
