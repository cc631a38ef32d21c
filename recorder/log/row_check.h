// Whether an opened database holds what its state row says: RocksDB may open well with data
// missing.
#ifndef MUNIMENT_RECORDER_LOG_ROW_CHECK_H_
#define MUNIMENT_RECORDER_LOG_ROW_CHECK_H_

#include <string>

#include "recorder/core/result.h"
#include "recorder/log/rocks_rows.h"

namespace muniment {

// Compares the format, the row count of each table whose keys are written once, and the head: the
// last event, its leaf, its index row, the peaks of the tree. Takes milliseconds; reads all rows of
// a table only when the quick count differs, so that it never reports what is not so.
// Errors: kInvalid (a newer format), kCorrupt (names table, expected and found; or a reindex that
// was not finished), kIo.
Status check_rows(const RocksRows& rows, const std::string& store_folder);

// kInvalid when the state is of a newer format.
Status check_format(const v1::StoreState& state, const std::string& store_folder);

// Why a database did not open: `error`, or kInvalid when it is of a newer format, which may have
// tables that this program cannot open.
Error explain_opening(Error error, const std::string& store_folder);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_ROW_CHECK_H_
