#include <algorithm>
#include <memory>

#include "cli/command_table.h"
#include "cli/exit_code.h"
#include "cli/present.h"
#include "cli/verify.h"
#include "recorder/core/digest.h"
#include "recorder/core/text.h"

namespace muniment {
namespace {

struct Options {
  VerifyOptions verify;
  std::vector<std::string> keys;
  std::string origin;
};

// What a message quotes is inert already: backslashes stay, so that nothing is escaped twice.
std::string inert_once(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\\', at), text.size());
    out += inert(text.substr(at, end - at));
    if (end < text.size()) out += text[end];
    at = end + 1;
  }
  return out;
}

std::string text_of(const v1::VerifyFinding& row) {
  std::string out;
  if (row.has_sequence()) out += "event " + std::to_string(row.sequence()) + ": ";
  if (!row.file().empty()) {
    out += inert(row.file()) + " at " + std::to_string(row.offset()) + ": ";
  }
  out += inert_once(row.what()) + "\n";
  if (row.expected().empty() && row.found().empty()) return out;
  return out + "  expected " + inert_short(row.expected(), 300) + "\n  found    " +
         inert_short(row.found(), 300) + "\n";
}

// What was counted on the way; a bundle or proof counts less than a store.
std::string counts_of(const v1::VerifyReport& report) {
  if (report.what() != "store") {
    std::string out = counted(report.events(), "event");
    return report.events() == 0 ? "" : ", " + out;
  }
  std::string out = ", " + counted(report.events(), "event");
  if (report.nodes() > 0) {
    out += ", " + counted(report.nodes(), "tree node") + ", " +
           counted(report.index_rows(), "index row") + ", " + counted(report.runs(), "run") + ", " +
           counted(report.blobs(), "blob");
  }
  if (report.has_artifacts()) out += ", " + counted(report.artifacts(), "artifact");
  return out;
}

std::string text_of(const v1::VerifyReport& report) {
  std::string out;
  for (const v1::VerifyFinding& row : report.findings()) out += text_of(row);
  out += report.verdict() + ": " + report.what() + " " + inert(report.store());
  if (report.verdict() == kIntact) out += counts_of(report);
  if (report.has_first_bad_sequence()) {
    out += ", first bad sequence " + std::to_string(report.first_bad_sequence());
  }
  if (report.has_last_good_sequence()) {
    out += ", last good sequence " + std::to_string(report.last_good_sequence());
  }
  out += "\n";
  if (!report.origin().empty()) out += "log " + inert(report.origin()) + "\n";
  if (!report.root_hash().empty()) out += "root " + to_hex(report.root_hash()) + "\n";
  if (report.has_checkpoint_size()) {
    out += "checkpoint of " + counted(report.checkpoint_size(), "event") + ", signed by ";
    std::string signers;
    for (const std::string& key : report.signers()) {
      signers += (signers.empty() ? "" : " and ") + inert(key);
    }
    out += (signers.empty() ? "no key that is trusted" : signers) + "\n";
  }
  for (const std::string& caveat : report.caveats()) out += "note: " + inert_once(caveat) + "\n";
  return out;
}

Result<int> run_verify(Options options, const Globals& globals, Redactor& secrets) {
  for (const std::string& vkey : options.keys) {
    Result<NoteKey> key = parse_vkey(vkey);
    if (!key) {
      return fail(ErrorCode::kInvalid,
                  "--key wants a verifier key as `muniment key show` prints "
                  "it: " +
                      key.error().message);
    }
    options.verify.trust.keys.push_back(*std::move(key));
  }
  if (!options.origin.empty()) options.verify.trust.origin = options.origin;
  Result<v1::VerifyReport> report = options.verify.path.empty()
                                        ? verify_store(options.verify, globals, secrets)
                                        : verify_path(options.verify);
  if (!report) return pass(report);
  if (report->verdict().empty()) report->set_verdict(std::string(kIntact));
  const int code = report->verdict() == kIntact ? kExitDone : kExitCorrupt;
  return present(globals, *report, {}, text_of(*report), code);
}

void declare_options(CLI::App& command, Options& options) {
  command.add_option("PATH", options.verify.path,
                     "A bundle, a proof, a checkpoint or the folder of a published log; without "
                     "it, the store");
  command
      .add_option("--key", options.keys,
                  "A verifier key to trust, as `muniment key show` prints it; may be repeated")
      ->option_text("VKEY");
  command.add_option("--origin", options.origin, "The log that is expected")->option_text("ORIGIN");
  command
      .add_option("--min-size", options.verify.trust.min_size,
                  "The number of events that were seen before")
      ->option_text("N");
  command
      .add_option("--against", options.verify.against,
                  "A checkpoint kept elsewhere, which the log must extend")
      ->option_text("FILE");
  auto* since = command
                    .add_option("--since", options.verify.since,
                                "Check the store from this checkpoint on, and take what lies "
                                "before it as it is")
                    ->option_text("FILE");
  auto* artifacts = command.add_flag("--artifacts", options.verify.artifacts,
                                     "Read every backup of the store again");
  auto* leaf =
      command
          .add_option("--leaf", options.verify.leaf, "The event that an inclusion proof is about")
          ->option_text("FILE");
  auto* path = command.get_option("PATH")->option_text(" ");
  path->excludes(since)->excludes(artifacts);
  leaf->needs(path);
}

}  // namespace

void declare_verify(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = root.add_subcommand(
      "verify", "Check the whole store, or what somebody handed over, against its signatures");
  declare_options(*command, *options);
  command->footer(
      "Keys, origin and size are what you bring along; nothing is taken from what is verified.\n"
      "The store is checked with its own key, and must extend what the guard knows.\n\n"
      "Example:\n  muniment verify --artifacts\n"
      "  muniment verify run.bundle --key 'host/muniment+1a2b3c4d+AZ…'\n\n"
      "Exit: 0 intact, 2 usage or no store, 5 not what it claims, or not signed by a key that is\n"
      "      trusted (the verdict says which; the first bad sequence is named)");
  command->callback([options, &chosen] {
    chosen = [options](const Globals& globals, Redactor& secrets) {
      return run_verify(*options, globals, secrets);
    };
  });
}

}  // namespace muniment
