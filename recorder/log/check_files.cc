#include <iterator>
#include <utility>

#include "recorder/log/file_checks.h"
#include "recorder/log/store.h"
#include "recorder/log/wal_scan.h"

namespace muniment {

Result<std::vector<FileFinding>> check_files(const std::string& folder) {
  Result<std::vector<FileFinding>> tables = check_tables(folder);
  if (!tables) return pass(tables);
  Result<std::vector<FileFinding>> logs = scan_wal_files(folder + "/db");
  if (!logs) return pass(logs);
  tables->insert(tables->end(), std::make_move_iterator(logs->begin()),
                 std::make_move_iterator(logs->end()));
  return std::move(*tables);
}

}  // namespace muniment
