// A statement on its way to a key elsewhere, and back.
//
//   FILE         the statement: what is signed
//   FILE.reason  the reason with its salt, where there is one: the statement holds its commitment
//   FILE.sig     what `ssh-keygen -Y sign … FILE` writes
#ifndef MUNIMENT_CLI_APPROVE_FILES_H_
#define MUNIMENT_CLI_APPROVE_FILES_H_

#include <string>

#include "cli/approve_draft.h"

namespace muniment {

// Writes FILE and FILE.reason, 0600. What is there already is left as it is (kInvalid).
Status export_draft(const ApprovalDraft& draft, const std::string& file);

// The command that signs an exported statement, for a shell.
std::string signing_command(const std::string& file);

struct ImportedApproval {
  ApprovalDraft draft;
  std::string signature;
};

// Reads the three files. Nothing in them is believed: the statement is parsed, the reason held
// against it. `signature_file` empty: FILE.sig. kInvalid: one is missing or is not what it should
// be.
Result<ImportedApproval> import_signed(const std::string& file, const std::string& signature_file);

}  // namespace muniment

#endif  // MUNIMENT_CLI_APPROVE_FILES_H_
