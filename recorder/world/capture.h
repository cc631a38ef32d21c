// Captures of each backup class into one artifact.
#ifndef MUNIMENT_RECORDER_WORLD_CAPTURE_H_
#define MUNIMENT_RECORDER_WORLD_CAPTURE_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "muniment/v1/plan.pb.h"
#include "recorder/core/result.h"
#include "recorder/world/artifact_writer.h"
#include "recorder/world/compression.h"
#include "recorder/world/folders.h"
#include "recorder/world/path_list.h"
#include "recorder/world/progress.h"
#include "recorder/world/tree_walk.h"

namespace muniment {

// Where a capture goes. A value with references; what it refers to must outlive the call.
struct CaptureTarget {
  const Folder& folder;  // the partial folder
  std::string name;      // the artifact's
  Compression compression;
  FolderIdentity backup_root;  // never captured
};

// What a capture did; the words are those of BackupWritten.
struct Capture {
  StoredFile file;
  std::uint64_t entries = 0;
  PathList changed;
  PathList vanished;
  PathList not_archived;
  std::string check;
};

// How long a database may be locked by others before its capture fails.
inline constexpr std::chrono::milliseconds kBusyTimeout = std::chrono::seconds(30);

// Copies one committed state of a live database by SQLite's backup API, checks the copy, and stores
// it. Writers are not disturbed in WAL mode and wait in rollback mode. The source is opened
// read-only and never created. Fails when the source is no database, stays locked for
// `busy_timeout`, or when the copy does not pass integrity_check. Nothing of the artifact's name is
// left by a failure before the copy was complete and checked, save where the artifact is the copy
// itself (no compression).
Result<Capture> capture_sqlite(const v1::SqliteCapture& source, const CaptureTarget& target,
                               Progress& progress,
                               std::chrono::milliseconds busy_timeout = kBusyTimeout);

// Archives files and folders as one tar. Links are not followed, FIFOs and devices not opened.
// What changes or vanishes meanwhile is listed, not an error; what cannot be read is: the message
// names the first and counts the rest.
Result<Capture> capture_files(const v1::FilesCapture& source, const CaptureTarget& target,
                              Progress& progress);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_CAPTURE_H_
