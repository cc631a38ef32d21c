#include <chrono>
#include <filesystem>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "recorder/log/lock.h"
#include "recorder/log/rocks_rows.h"
#include "recorder/log/row_check.h"
#include "recorder/log/scratch_folder.h"
#include "recorder/log/store.h"
#include "recorder/log/store_layout.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

// A secondary meets files that the writer removes between its reading of the list and of the files.
constexpr int kAttempts = 8;
constexpr std::chrono::milliseconds kPause{15};

// A view of the store and how it was got.
struct View {
  ScratchFolder scratch;  // only of a secondary; outlives the rows
  std::unique_ptr<RocksRows> rows;
  std::string files;  // only without a writer: what the view was made from
};

// Names, sizes and times of the database's files: whoever opens the store for writing changes them.
std::string list_files(const std::string& folder) {
  std::string list;
  std::error_code error;
  for (fs::directory_iterator at(db_folder(folder), error);
       !error && at != fs::directory_iterator(); at.increment(error)) {
    std::error_code gone;
    list += at->path().filename().string() + ' ' + std::to_string(at->file_size(gone)) + ' ' +
            std::to_string(at->last_write_time(gone).time_since_epoch().count()) + '\n';
  }
  return list;
}

Result<View> open_quiet(const std::string& folder) {
  View view;
  view.files = list_files(folder);
  Result<std::unique_ptr<RocksRows>> rows = RocksRows::open_read_only(db_folder(folder));
  if (!rows) return std::unexpected(explain_opening(std::move(rows.error()), folder));
  view.rows = *std::move(rows);
  if (Status checked = check_rows(*view.rows, folder); !checked) return pass(checked);
  return view;
}

Result<View> open_beside_writer(const std::string& folder) {
  View view;
  if (Status made = view.scratch.make(); !made) return pass(made);
  Result<std::unique_ptr<RocksRows>> rows =
      RocksRows::open_secondary(db_folder(folder), view.scratch.path());
  if (!rows) return std::unexpected(explain_opening(std::move(rows.error()), folder));
  view.rows = *std::move(rows);
  // The first sight may be of a moment between two steps of the writer's.
  if (Status checked = check_rows(*view.rows, folder); checked) return view;
  if (Status caught_up = view.rows->catch_up(); !caught_up) return pass(caught_up);
  if (Status checked = check_rows(*view.rows, folder); !checked) return pass(checked);
  return view;
}

Result<View> open_once(const std::string& folder) {
  Result<std::optional<StoreLock>> quiet = StoreLock::try_shared(folder);
  if (!quiet) return pass(quiet);
  return quiet->has_value() ? open_quiet(folder) : open_beside_writer(folder);
}

// Damage stays; a race with a living writer passes.
Result<View> open_view(const std::string& folder) {
  Result<View> view = open_once(folder);
  for (int attempt = 1; attempt < kAttempts && !view; ++attempt) {
    const ErrorCode code = view.error().code;
    if (code != ErrorCode::kCorrupt && code != ErrorCode::kIo) break;
    std::this_thread::sleep_for(kPause);
    view = open_once(folder);
  }
  return view;
}

class StoreReader : public LogReader {
 public:
  StoreReader(std::string folder, View view) : folder_(std::move(folder)), view_(std::move(view)) {}

  Result<v1::StoreState> state() const override { return view_.rows->state(); }

  Result<std::optional<std::string>> get(Table table, std::string_view key) const override {
    return view_.rows->get(table, key);
  }

  Status scan(Table table, std::string_view from, Direction direction,
              const RowVisitor& visit) const override {
    return view_.rows->scan(table, from, direction, visit);
  }

  Status refresh() override {
    if (view_.scratch.path().empty()) {
      if (view_.files == list_files(folder_)) return {};
      return reopen();
    }
    const Status caught_up = view_.rows->catch_up();
    if (caught_up && check_rows(*view_.rows, folder_)) return {};
    return reopen();
  }

 private:
  Status reopen() {
    Result<View> view = open_view(folder_);
    if (!view) return pass(view);
    // The rows of the old view lie in its scratch folder: they go first.
    view_.rows = std::move(view->rows);
    view_.scratch = std::move(view->scratch);
    view_.files = std::move(view->files);
    return {};
  }

  std::string folder_;
  View view_;
};

}  // namespace

Result<std::unique_ptr<LogReader>> open_reader(const std::string& folder) {
  if (Status there = require_store(folder); !there) return pass(there);
  Result<View> view = open_view(folder);
  if (!view) return pass(view);
  return std::make_unique<StoreReader>(folder, *std::move(view));
}

Result<std::unique_ptr<LogReader>> open_damaged(const std::string& folder) {
  if (Status there = require_store(folder); !there) return pass(there);
  Result<std::optional<StoreLock>> quiet = StoreLock::try_shared(folder);
  if (!quiet) return pass(quiet);
  if (!quiet->has_value()) {
    return fail(ErrorCode::kBusy, "store " + folder + " is being written; verify it afterwards");
  }
  Result<std::unique_ptr<RocksRows>> rows = RocksRows::open_damaged(db_folder(folder));
  if (!rows) return pass(rows);
  return *std::move(rows);
}

}  // namespace muniment
