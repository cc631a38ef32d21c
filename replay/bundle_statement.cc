#include "replay/bundle_statement.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <vector>

#include "recorder/core/tlog/dsse.h"
#include "replay/bundle_parts.h"
#include "replay/statement.h"
#include "replay/trust.h"

namespace muniment {
namespace {

constexpr std::size_t kShown = 300;

bool are_signers_known(const DsseEnvelope& envelope, std::span<const NoteKey> keys,
                       v1::VerifyReport& report) {
  const std::vector<NoteKey> signers = signers_of(envelope, keys);
  for (const DsseSignature& signature : envelope.signatures) {
    const auto is_its = [&](const NoteKey& key) { return key_id_hex(key.id) == signature.key_id; };
    if (std::any_of(signers.begin(), signers.end(), is_its)) continue;
    const bool is_claimed = std::any_of(keys.begin(), keys.end(), is_its);
    add_finding(report, is_claimed || !signers.empty() ? kTampered : kUnknownSigner,
                is_claimed ? "the statement's signature is wrong"
                           : "the statement has a signature of a key that is not trusted",
                vkeys_of(keys), "key " + signature.key_id.substr(0, kShown));
    return false;
  }
  if (signers.empty()) add_finding(report, kUnsigned, "the statement is not signed");
  return !signers.empty();
}

void compare(const DsseEnvelope& envelope, const std::string& made, v1::VerifyReport& report) {
  if (envelope.payload_type != kStatementPayloadType) {
    return add_finding(report, kTampered, "the statement is of another kind",
                       std::string(kStatementPayloadType), envelope.payload_type.substr(0, kShown));
  }
  const Result<v1::InTotoStatement> said = parse_statement(envelope.payload);
  const Result<v1::InTotoStatement> expected = parse_statement(made);
  if (!said || !expected) {
    return add_finding(report, kTampered, (said ? expected.error() : said.error()).message);
  }
  google::protobuf::util::MessageDifferencer differencer;
  std::string differences;
  differencer.ReportDifferencesToString(&differences);
  if (differencer.Compare(*expected, *said)) return;
  add_finding(report, kTampered, "the statement does not say what the events say",
              "a statement about these events", differences.substr(0, kShown));
}

}  // namespace

void judge_bundled_statement(std::optional<std::string_view> envelope,
                             const std::optional<std::string>& made, std::span<const NoteKey> keys,
                             v1::VerifyReport& report) {
  if (!made) {
    if (!envelope) return;
    return add_finding(report, kTampered, "there is a statement about a run that has none");
  }
  if (!envelope) {
    return add_finding(report, kUnsigned, "the run has ended and its statement is missing",
                       std::string(kStatementEntry), "nothing");
  }
  const Result<DsseEnvelope> read = parse_dsse(*envelope);
  if (!read) {
    return add_finding(report, kCannotRead, "the statement: " + read.error().message);
  }
  if (format_dsse(*read) != *envelope) {
    return add_finding(report, kTampered, "the statement is not spelled as it was signed");
  }
  if (are_signers_known(*read, keys, report)) compare(*read, *made, report);
}

}  // namespace muniment
