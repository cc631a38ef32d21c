#include "cli/approve_files.h"

#include <filesystem>

#include "cli/output_file.h"
#include "recorder/core/digest.h"
#include "recorder/core/text.h"

namespace muniment {
namespace {

constexpr std::size_t kMostBytes = 128U << 10U;
constexpr std::size_t kSaltBytes = 32;

std::string reason_file(const std::string& file) {
  return file + ".reason";
}

std::string in_quotes(const std::string& path) {
  std::string out = "'";
  for (const char c : path) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

Result<std::optional<Hidden>> import_reason(const std::string& file, const std::string& said) {
  if (said == "-") return std::optional<Hidden>();
  Result<std::string> blob = read_input(reason_file(file), kMostBytes);
  if (!blob) {
    blob.error().message += "; the reason travels beside the statement";
    return pass(blob);
  }
  const Digest commitment = sha256(*blob);
  if (to_hex(commitment) != said || blob->size() < kSaltBytes) {
    return fail(ErrorCode::kInvalid,
                inert(reason_file(file)) + " is not the reason that the statement was signed with");
  }
  Hidden out;
  out.field.set_commitment(std::string(as_bytes(commitment)));
  out.blob = std::move(*blob);
  return out;
}

}  // namespace

Status export_draft(const ApprovalDraft& draft, const std::string& file) {
  Status written = write_output(file, draft.text, false);
  if (!written || !draft.reason) return written;
  written = write_output(reason_file(file), draft.reason->blob, false);
  // A statement whose reason is not beside it could never be imported.
  std::error_code ignored;
  if (!written) std::filesystem::remove(file, ignored);
  return written;
}

std::string signing_command(const std::string& file) {
  const bool plain =
      inert(file) == file && file.find_first_of(" '\"\\$`;&|<>()*?[]{}~#!") == std::string::npos;
  const std::string name = plain ? file : inert(in_quotes(file));
  return "ssh-keygen -Y sign -n " + std::string(kApprovalNamespace) + " -f KEY " + name;
}

Result<ImportedApproval> import_signed(const std::string& file, const std::string& signature_file) {
  Result<std::string> text = read_input(file, kMostBytes);
  if (!text) return pass(text);
  Result<ApprovalStatement> statement = parse_approval(*text);
  if (!statement) {
    return fail(ErrorCode::kInvalid,
                inert(file) + " is no statement of an approval: " + statement.error().message);
  }
  Result<std::string> signature =
      read_input(signature_file.empty() ? file + ".sig" : signature_file, kMostBytes);
  if (!signature) {
    signature.error().message += "; sign first: " + signing_command(file);
    return pass(signature);
  }
  if (!is_valid_utf8(*signature) || signature->size() > (32U << 10U)) {
    return fail(ErrorCode::kInvalid, "the signature of " + inert(file) + " is no SSH signature");
  }
  Result<std::optional<Hidden>> reason = import_reason(file, statement->reason);
  if (!reason) return pass(reason);
  ImportedApproval out;
  out.draft = {std::move(*statement), std::move(*text), std::move(*reason)};
  out.signature = std::move(*signature);
  return out;
}

}  // namespace muniment
