// Makes what was deleted from a table vanish from the files of the database.
#ifndef MUNIMENT_RECORDER_LOG_PURGE_H_
#define MUNIMENT_RECORDER_LOG_PURGE_H_

#include "recorder/core/result.h"
#include "recorder/log/rocks_rows.h"

namespace muniment {

// A deleted row is still in the WAL and in the table file that it came in, below its deletion,
// until RocksDB gets round to merging the two. This flushes all tables, rewrites `table` as a
// whole, and returns when every file is gone that could hold what was deleted before the call; the
// folder is synced. Costs as much time and space as the table is large. REQUIRES: nobody writes
// meanwhile. Errors: kIo (no space; a file that does not go, because a scan under way holds it),
// kCorrupt.
Status purge_table(RocksRows& rows, Table table);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_PURGE_H_
