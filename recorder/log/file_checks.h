// The table files of a store against what the database's manifest says of them.
#ifndef MUNIMENT_RECORDER_LOG_FILE_CHECKS_H_
#define MUNIMENT_RECORDER_LOG_FILE_CHECKS_H_

#include <string>
#include <vector>

#include "recorder/core/result.h"
#include "recorder/log/store.h"

namespace muniment {

// Checks that each table file is there, has its size and its checksum (of the whole file, so it
// covers filters and properties that reading rows would not). The half of check_files() that is
// not about the WAL. A database whose manifest cannot be read is one finding; its file is then
// "db". Works with and without a writer. Fails with kIo only when nothing could be looked at.
Result<std::vector<FileFinding>> check_tables(const std::string& store_folder);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_FILE_CHECKS_H_
