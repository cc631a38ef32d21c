// Bundles come from strangers. No bytes may crash the judge, and no other bytes than those that
// were made may be found intact. The fuzzer changes what is in the entries of a true bundle; the
// archive is written anew around it, which it would not hit upon by itself.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "recorder/core/text.h"
#include "replay/ustar.h"
#include "replay/verify_bundle.h"
#include "replay/verify_proof.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

const std::string& true_bundle() {
  static const std::string kBytes = [] {
    std::ostringstream text;
    text << std::ifstream("tests/proto/fixtures/bundle-1.tar", std::ios::binary).rdbuf();
    require(muniment::looks_like_bundle(text.str()));
    return std::move(text).str();
  }();
  return kBytes;
}

muniment::Trust trust() {
  muniment::Trust out;
  const auto secret = muniment::SigningKey::from_seed(std::string(32, 'a'));
  out.keys = {muniment::note_key("rs2000.example/muniment", secret.public_key())};
  return out;
}

void judge(std::string_view bytes) {
  static const muniment::Trust kTrust = trust();
  for (const muniment::Trust& who : {kTrust, muniment::Trust()}) {
    const auto report = muniment::verify_bundle(bytes, who);
    require(!report.verdict().empty());
    require(report.findings().empty() || report.verdict() != muniment::kIntact);
    require(report.verdict() != muniment::kIntact || bytes == true_bundle());
    for (const auto& row : report.findings()) {
      require(muniment::is_valid_utf8(row.what() + row.expected() + row.found()));
    }
  }
}

// Each edit: entry(1) place(2) how many bytes go(1) how many come(1) bytes.
void judge_edited(std::string_view edits) {
  const auto read = muniment::parse_ustar(true_bundle());
  std::vector<std::pair<std::string, std::string>> entries;
  for (const auto& entry : *read) entries.emplace_back(entry.name, entry.bytes);
  while (edits.size() >= 5) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(edits[i]); };
    auto& [name, bytes] = entries[byte(0) % entries.size()];
    const std::size_t at = (byte(1) * 256U + byte(2)) % (bytes.size() + 1);
    const std::string_view come = edits.substr(5, byte(4));
    bytes.replace(at, byte(3), come);
    edits.remove_prefix(5 + come.size());
  }
  std::string archive;
  muniment::UstarWriter writer(archive);
  for (const auto& [name, bytes] : entries) writer.add(name, bytes);
  writer.finish();
  judge(archive);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  judge(bytes);
  judge_edited(bytes);
  const auto proof = muniment::verify_inclusion_file(bytes, {}, "leaf");
  require(proof.verdict() != muniment::kIntact && !proof.verdict().empty());
  const auto extension = muniment::verify_consistency_file(bytes, {}, bytes);
  require(extension.verdict() != muniment::kIntact && !extension.verdict().empty());
  return 0;
}
