// How the database under a store is configured; the only place where a setting of RocksDB is
// chosen.
#ifndef MUNIMENT_RECORDER_LOG_ROCKS_OPTIONS_H_
#define MUNIMENT_RECORDER_LOG_ROCKS_OPTIONS_H_

#include <rocksdb/db.h>
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "recorder/core/result.h"

namespace muniment {

// A RocksDB environment in which every file that is created has exactly `file_mode`, whatever the
// umask. The umask belongs to the whole process and RocksDB creates files from its own threads, so
// the modes are set where the files are made. Until the mode is set (microseconds), the folder
// above, which nobody else may enter, keeps a file private.
std::unique_ptr<rocksdb::Env> private_env(mode_t file_mode);

// Settings that writer and readers share. `env` must outlive the database.
rocksdb::DBOptions database_options(rocksdb::Env* env);

// `default`, which RocksDB insists on and which stays empty, then one column family for each table
// in the order of kTables.
std::vector<rocksdb::ColumnFamilyDescriptor> column_families();

// The error in the project's words: `what` names the object, the next step is added. Damage and
// missing files are kCorrupt, everything else of the environment kIo.
std::unexpected<Error> rocks_error(const std::string& what, const rocksdb::Status& status);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_ROCKS_OPTIONS_H_
