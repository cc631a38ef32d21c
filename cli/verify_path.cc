#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "cli/folder_below.h"
#include "cli/output_file.h"
#include "cli/verify.h"
#include "cli/verify_published_folder.h"
#include "recorder/core/text.h"
#include "recorder/core/tlog/tile.h"
#include "recorder/log/merkle.h"
#include "recorder/log/store.h"
#include "recorder/world/os.h"
#include "replay/verify_bundle.h"
#include "replay/verify_proof.h"

namespace muniment {
namespace {

constexpr std::size_t kMostEvidenceBytes = 1U << 30U;
// A bundle of the largest entries and their lengths.
constexpr std::uint64_t kMostEntryFileBytes = 256ULL * (65'535 + 2);

std::unexpected<Error> does_not_go(const std::string& option, const std::string& with,
                                   const std::string& what) {
  return fail(ErrorCode::kInvalid, option + " goes with " + with + "; this is " + what);
}

v1::VerifyReport verify_note(std::string_view bytes, const Trust& trust) {
  v1::VerifyReport report;
  report.set_what("checkpoint");
  if (const std::optional<Checkpoint> checkpoint = judge_checkpoint(bytes, trust, report)) {
    report.set_events(checkpoint->size);
    report.set_root_hash(std::string(as_bytes(checkpoint->root)));
    add_caveat(report,
               "only the checkpoint was verified: the events that it speaks of were not "
               "read");
    worsen(report, kIntact);
  }
  return report;
}

// The root of the first `size` entries; kCorrupt: one of their files is not there or is none.
Result<Digest> root_of_entries(FolderBelow& files, std::uint64_t size, std::uint64_t of) {
  CompactRange tree;
  const auto ignore = [](std::uint8_t, std::uint64_t, const Digest&) {};
  while (tree.size() < size) {
    Tile tile;
    tile.index = tree.size() / kTileWidth;
    std::optional<std::string> bytes;
    // Where the partial file is gone, the full one speaks for it.
    for (const std::uint64_t width :
         {std::min<std::uint64_t>(kTileWidth, of - tree.size()), std::uint64_t{kTileWidth}}) {
      tile.width = static_cast<unsigned>(width);
      Result<std::optional<std::string>> file = files.read(tile_path(tile), kMostEntryFileBytes);
      if (!file) return pass(file);
      bytes = *std::move(file);
      if (bytes) break;
    }
    if (!bytes) return fail(ErrorCode::kCorrupt, tile_path(tile) + " is missing");
    const auto entries = parse_entry_bundle(*bytes, tile.width);
    if (!entries) return std::unexpected(entries.error());
    for (const std::string_view entry : *entries) {
      if (tree.size() < size) tree.append(leaf_hash(entry), ignore);
    }
  }
  return tree.root();
}

void compare_with_published(const std::string& folder, const std::string& name,
                            std::string_view note, const Trust& trust, v1::VerifyReport& report) {
  v1::VerifyReport part;
  Trust earlier = trust;
  earlier.min_size = 0;
  const std::optional<Checkpoint> old = judge_checkpoint(note, earlier, part);
  add_part(report, part, name);
  if (!old) return;
  if (old->size > report.checkpoint_size()) {
    return add_finding(report, kOlder, name + ": the published log does not reach this checkpoint",
                       std::to_string(old->size) + " events",
                       std::to_string(report.checkpoint_size()) + " events");
  }
  Result<FolderBelow> files = FolderBelow::open(folder);
  if (!files) return add_finding(report, kCannotRead, files.error().message);
  const Result<Digest> root = root_of_entries(*files, old->size, report.checkpoint_size());
  if (!root) return add_finding(report, kCannotRead, root.error().message);
  if (*root == old->root) return;
  add_finding(report, kTampered, name + ": the published log does not extend this checkpoint",
              to_hex(old->root), to_hex(*root));
}

Result<v1::VerifyReport> verify_folder(const VerifyOptions& options) {
  if (!options.leaf.empty()) {
    return does_not_go("--leaf", "an inclusion proof", "a folder");
  }
  if (probe_store(options.path) == StoreKind::kPresent) {
    return fail(ErrorCode::kInvalid,
                inert(options.path) + " is a store; verify it with -s " + inert(options.path));
  }
  Result<std::string> note = std::string();
  if (!options.against.empty()) note = read_evidence(options.against);
  if (!note) return pass(note);
  Result<v1::VerifyReport> report = verify_published_folder(options.path, options.trust);
  if (report && !options.against.empty()) {
    compare_with_published(options.path, "checkpoint " + inert(options.against), *note,
                           options.trust, *report);
  }
  return report;
}

Result<v1::VerifyReport> verify_consistency(const VerifyOptions& options, std::string_view bytes) {
  if (options.against.empty()) {
    return fail(ErrorCode::kInvalid,
                inert(options.path) +
                    " proves that a log extends an older checkpoint: name that "
                    "one with --against FILE");
  }
  Result<std::string> old = read_evidence(options.against);
  if (!old) return pass(old);
  return verify_consistency_file(bytes, options.trust, *old);
}

Result<v1::VerifyReport> verify_file(const VerifyOptions& options) {
  Result<std::string> bytes = read_evidence(options.path);
  if (!bytes) return pass(bytes);
  const bool is_inclusion = looks_like_inclusion_file(*bytes);
  const bool is_consistency = looks_like_consistency_file(*bytes);
  if (!options.leaf.empty() && !is_inclusion) {
    return does_not_go("--leaf", "an inclusion proof", "another file");
  }
  if (is_consistency) return verify_consistency(options, *bytes);
  if (!options.against.empty()) {
    return does_not_go("--against", "a store, a published log or a consistency proof",
                       "another file");
  }
  if (is_inclusion) {
    std::optional<std::string> leaf;
    if (!options.leaf.empty()) {
      Result<std::string> read = read_evidence(options.leaf);
      if (!read) return pass(read);
      leaf = *std::move(read);
    }
    return verify_inclusion_file(*bytes, options.trust, leaf);
  }
  if (looks_like_bundle(*bytes)) return verify_bundle(*bytes, options.trust);
  return verify_note(*bytes, options.trust);
}

}  // namespace

Result<std::string> read_evidence(const std::string& path) {
  return read_input(path, kMostEvidenceBytes);
}

Result<v1::VerifyReport> verify_path(const VerifyOptions& options) {
  struct stat facts{};
  if (::stat(options.path.c_str(), &facts) != 0) {
    return fail(ErrorCode::kInvalid, inert(options.path) + " cannot be read: " + errno_text(errno));
  }
  Result<v1::VerifyReport> report =
      S_ISDIR(facts.st_mode) ? verify_folder(options) : verify_file(options);
  if (report) report->set_store(valid_utf8(options.path));
  return report;
}

}  // namespace muniment
