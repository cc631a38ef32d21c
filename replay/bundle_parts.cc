#include "replay/bundle_parts.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>

#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "replay/bundle.h"
#include "replay/erasure.h"
#include "replay/evidence.h"
#include "replay/json.h"
#include "replay/render_markdown.h"

namespace muniment {
namespace {

constexpr std::size_t kLongestVersion = 64;

}  // namespace

std::string event_entry(std::uint64_t sequence) {
  return "events/" + std::to_string(sequence);
}

std::string proof_entry(std::uint64_t sequence) {
  return "proofs/" + std::to_string(sequence) + ".tlog-proof";
}

std::string blob_entry(std::string_view sha256) {
  return "blobs/" + to_hex(sha256);
}

std::string format_bundle_index(const v1::BundleIndex& index) {
  return to_json(index, {.resolve = {}, .pretty = true}) + "\n";
}

Result<v1::BundleIndex> parse_bundle_index(std::string_view json) {
  v1::BundleIndex index;
  const auto parsed = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(json.data(), json.size()), &index);
  if (!parsed.ok()) {
    return fail(ErrorCode::kInvalid, "bundle.json cannot be read: " + inert(parsed.ToString()));
  }
  if (index.format() != kBundleFormat) {
    return fail(ErrorCode::kInvalid, "bundle.json says that the bundle is a " +
                                         inert_short(index.format(), 80) + ", known here is " +
                                         std::string(kBundleFormat));
  }
  if (!is_bundle_version(index.program_version())) {
    return fail(ErrorCode::kInvalid, "bundle.json names no program version that can be");
  }
  if (format_bundle_index(index) != json) {
    return fail(ErrorCode::kInvalid, "bundle.json is not spelled as this format has it");
  }
  return index;
}

bool is_bundle_version(std::string_view version) {
  return !version.empty() && version.size() <= kLongestVersion &&
         std::all_of(version.begin(), version.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

BundleLinks links_of(const BundleEvents& events, std::string_view run_id) {
  BundleLinks out;
  for (const auto& [sequence, stored] : events) {
    const v1::Event& event = stored.event;
    for (BlobRef& blob : blobs_named_by(event)) {
      if (blob.erasable) out.commitments.insert(std::move(blob.sha256));
    }
    if (event.has_approval_accepted()) out.accepted.insert(sequence);
    if (event.has_run_started() && event.run_id() == run_id) {
      out.follows_run = event.run_started().follows_run();
    }
    for (const v1::Condition& condition : event.gate_evaluated().conditions()) {
      out.cited.insert(condition.decided_by().begin(), condition.decided_by().end());
    }
  }
  return out;
}

namespace {

bool is_asked_or_given(const v1::Event& event) {
  return event.has_approval_requested() || event.has_approval_submitted() ||
         event.has_approval_accepted() || event.has_approval_rejected();
}

}  // namespace

bool belongs_to_bundle(const StoredEvent& stored, std::string_view run_id,
                       const BundleLinks& links) {
  const v1::Event& event = stored.event;
  if (event.run_id() == run_id || event.about_run() == run_id) return true;
  if (event.has_key_rotated()) return true;
  if (event.has_erased()) return links.commitments.contains(event.erased().commitment());
  if (event.has_gate_policy_recorded()) return links.cited.contains(stored.sequence);
  const auto is_here = [&](std::uint64_t accepted) { return links.accepted.contains(accepted); };
  if (event.has_approval_consumed()) {
    return std::ranges::any_of(event.approval_consumed().accepted_sequences(), is_here);
  }
  if (event.has_approval_revoked()) return is_here(event.approval_revoked().accepted_sequence());
  return is_asked_or_given(event) && !links.follows_run.empty() &&
         event.about_run() == links.follows_run;
}

std::map<std::string, WantedBlob> wanted_blobs(const BundleEvents& events) {
  std::set<std::string> erased;
  for (const auto& [sequence, stored] : events) {
    if (stored.event.has_erased()) erased.insert(stored.event.erased().commitment());
  }
  std::map<std::string, WantedBlob> out;
  for (const auto& [sequence, stored] : events) {
    for (const BlobRef& blob : blobs_named_by(stored.event)) {
      if (blob.sha256.empty()) continue;
      const bool may_be_gone = blob.erasable && erased.contains(blob.sha256);
      const auto [row, is_new] =
          out.try_emplace(blob.sha256, WantedBlob{sequence, blob.field, may_be_gone});
      if (!is_new && !may_be_gone) row->second.may_be_gone = false;
    }
  }
  return out;
}

Result<BundleReports> render_reports(const SparseLog& log, const v1::BundleIndex& index) {
  Result<v1::StoreState> state = log.state();
  if (!state) return pass(state);
  Result<std::optional<StoredCheckpoint>> newest = newest_checkpoint(log);
  if (!newest) return pass(newest);
  const SignedTree tree{.size = state->size(),
                        .root = digest_from_bytes(state->root()),
                        .checkpoint = *newest ? (*newest)->note : "",
                        .verify_command = "muniment verify FILE --key VKEY  # made by muniment " +
                                          index.program_version()};
  Result<v1::Evidence> evidence = make_evidence(log, index.run_id(), tree);
  if (!evidence) return pass(evidence);
  const Resolver resolve = resolver_of(log);
  return BundleReports{.markdown = render_markdown(*evidence, resolve),
                       .json = to_json(*evidence, {.resolve = resolve, .pretty = true}) + "\n"};
}

}  // namespace muniment
