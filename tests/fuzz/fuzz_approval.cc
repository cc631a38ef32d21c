// Statements, policies and files of signers come from anywhere: what is taken for a statement or a
// policy must be its only spelling, and no file of signers may name everybody.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "recorder/core/approval.h"
#include "recorder/core/gate_policy.h"
#include "recorder/core/signers.h"
#include "recorder/core/text.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

template <class T>
void require_message(const muniment::Result<T>& refused, muniment::ErrorCode code) {
  require(refused.error().code == code && !refused.error().message.empty());
  require(muniment::is_valid_utf8(refused.error().message));
}

void check_statement(std::string_view text) {
  const auto read = muniment::parse_approval(text);
  if (!read) return require_message(read, muniment::ErrorCode::kInvalid);
  require(muniment::format_approval(*read) == text);
  require(read->not_before_ns < read->expires_ns && read->nonce.size() == 32);
}

void check_policy(std::string_view text) {
  const auto read = muniment::parse_policy(text);
  if (!read) return require_message(read, muniment::ErrorCode::kCorrupt);
  require(muniment::format_policy(*read) == text);
  require(read->approvals > 0 && read->expires.count() > 0);
}

void check_signers(std::string_view text) {
  const auto read = muniment::parse_signers(text);
  if (!read) return require_message(read, muniment::ErrorCode::kInvalid);
  require(!read->empty());
  for (const muniment::Signer& signer : *read) {
    require(!signer.principals.empty() && signer.fingerprint.size() == 50);
    for (const std::string& name : signer.principals) {
      require(!name.empty() && name.find_first_of("*?!") == std::string::npos);
    }
  }
}

const std::string kStatement =
    "muniment-approval/1\nguarded backup\ngate F3\nmodule notes\nrun r1\nplan " +
    std::string(64, 'a') + "\npolicy " + std::string(64, 'b') +
    "\nkey log+00000000+AQ==\norigin log\nnot-before 2026-11-29T17:00:00.000000000Z\n"
    "expires 2026-11-29T18:00:00.000000000Z\nnonce " +
    std::string(32, 'c') + "\nreason -\n";
const std::string kPolicy =
    "muniment-gate-policy/1\ngate F3\nguards backup\nmodule notes\napprovals 1\n"
    "no-self-approval false\nexpires 86400\nkeys any\nsigners -\nguard /srv/\\u{202E}\n"
    "need backup dry_run 86400\nneed backup check a\\tb\\xFF\n";
const std::string kSigners =
    "# who may\nanna,ben namespaces=\"a b\",valid-after=\"20260101\" ssh-ed25519 "
    "AAAAC3NzaC1lZDI1NTE5AAAAIGFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh of anna\n";

// Texts with some bytes replaced: nearer to one than what the fuzzer finds by itself.
std::string edited(std::string text, std::string_view edits) {
  while (edits.size() >= 4) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(edits[i]); };
    const std::size_t at = (byte(0) * 256U + byte(1)) % (text.size() + 1);
    const std::string_view come = edits.substr(4, byte(3) % 16U);
    text.replace(at, byte(2) % 16U, come);
    edits.remove_prefix(4 + come.size());
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_statement(bytes);
  check_policy(bytes);
  check_signers(bytes);
  check_statement(edited(kStatement, bytes));
  check_policy(edited(kPolicy, bytes));
  check_signers(edited(kSigners, bytes));
  return 0;
}
