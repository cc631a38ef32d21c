// The stranger's check of a published log that lies in a folder, whoever may have filled it.
#ifndef MUNIMENT_CLI_VERIFY_PUBLISHED_FOLDER_H_
#define MUNIMENT_CLI_VERIFY_PUBLISHED_FOLDER_H_

#include <string>

#include "muniment/v1/report.pb.h"
#include "recorder/core/result.h"
#include "replay/trust.h"

namespace muniment {

// See replay/verify_published.h. No link below `folder` is followed, nothing but regular files is
// opened, and no file is read beyond the size that its name lets it have.
// kNotFound, kInvalid: there is no such folder. What cannot be read in it is a finding.
Result<v1::VerifyReport> verify_published_folder(const std::string& folder, const Trust& trust);

}  // namespace muniment

#endif  // MUNIMENT_CLI_VERIFY_PUBLISHED_FOLDER_H_
