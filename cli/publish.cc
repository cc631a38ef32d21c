#include "cli/publish.h"

#include <utility>
#include <vector>

#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "recorder/core/tlog/note.h"
#include "recorder/core/tlog/tile.h"
#include "recorder/log/prover.h"
#include "replay/prove.h"
#include "replay/tiles.h"

namespace muniment {
namespace {

class Publisher {
 public:
  Publisher(const LogReader& log, PublishFolder& folder, const PublishOptions& options)
      : log_(log), folder_(folder), options_(options) {}

  Result<v1::PublishReport> run() {
    Result<SignedHead> ours = read_signed_head(log_);
    if (!ours) return pass(ours);
    ours_ = std::move(*ours);
    Result<v1::StoreState> state = log_.state();
    if (!state) return pass(state);
    report_.set_folder(folder_.files().path());
    report_.set_origin(ours_.checkpoint.origin);
    report_.set_size(ours_.checkpoint.size);
    report_.set_root_hash(std::string(as_bytes(ours_.checkpoint.root)));
    report_.set_behind(state->size() - ours_.checkpoint.size);
    for (const auto step :
         {&Publisher::read_published, &Publisher::remove_uncovered, &Publisher::write_tiles,
          &Publisher::write_checkpoint, &Publisher::remove_replaced}) {
      if (Status status = (this->*step)(); !status) return pass(status);
    }
    if (Status status = folder_.finish(); !status) return pass(status);
    return std::move(report_);
  }

 private:
  const std::string& path() const { return folder_.files().path(); }

  // Nothing is built upon what another log, or another history of this one, left there.
  Status read_published() {
    Result<std::optional<std::string>> bytes =
        folder_.files().read(kCheckpointFile, kMostNoteBytes);
    if (!bytes) return pass(bytes);
    if (!bytes->has_value()) return {};
    published_ = std::move(**bytes);
    const std::string whose = "the checkpoint in " + shown_path(path());
    const std::string otherwise = "; if that is right, publish into another folder";
    Result<Checkpoint> there = checkpoint_in(published_);
    if (!there) {
      return fail(ErrorCode::kCorrupt,
                  whose + " is no checkpoint: " + there.error().message + otherwise);
    }
    const Checkpoint& ours = ours_.checkpoint;
    if (there->origin != ours.origin) {
      return fail(ErrorCode::kCorrupt, whose + " is of the log " + inert_short(there->origin, 200) +
                                           ", the store's is " + inert_short(ours.origin, 200) +
                                           otherwise);
    }
    if (there->size > ours.size) {
      return fail(ErrorCode::kCorrupt,
                  whose + " is of " + std::to_string(there->size) +
                      " events, the store's newest one of " + std::to_string(ours.size) +
                      ": the store is older than what was published" + otherwise);
    }
    Result<Digest> root = root_at(log_, there->size);
    if (!root) return pass(root);
    if (*root != there->root) {
      return fail(ErrorCode::kCorrupt, whose + " contradicts the store: the root of the first " +
                                           std::to_string(there->size) + " events is " +
                                           to_hex(there->root) + " there and " + to_hex(*root) +
                                           " here; run `muniment verify`" + otherwise);
    }
    covered_ = there->size;
    report_.set_previous_size(there->size);
    return {};
  }

  // Partial tiles that a publisher left who died before its checkpoint: of which history, nobody
  // knows.
  Status remove_uncovered() {
    return remove_partial([this](const Tile& tile) { return end_of(tile) > covered_; });
  }

  Status remove_replaced() {
    return remove_partial([this](const Tile& tile) {
      Tile full = tile;
      full.width = kTileWidth;
      return end_of(full) <= ours_.checkpoint.size;
    });
  }

  template <class Predicate>
  Status remove_partial(const Predicate& is_to_go) {
    std::vector<std::string> paths;
    const Status listed = folder_.files().list("tile", "", [&](const std::string& relative) {
      const Result<Tile> tile = parse_tile_path(relative);
      if (tile && !tile->is_full() && is_to_go(*tile)) paths.push_back(relative);
    });
    if (!listed) return listed;
    for (const std::string& relative : paths) {
      if (Status status = folder_.remove(relative); !status) return status;
      if (Status status = folder_.remove_if_empty(folder_part(relative)); !status) return status;
      report_.set_removed(report_.removed() + 1);
    }
    return {};
  }

  Result<bool> is_there(const Tile& tile, const std::string& relative) {
    Result<std::optional<std::uint64_t>> size = folder_.files().size_of(relative);
    if (!size) return pass(size);
    const SizeBounds bounds = size_bounds(tile);
    return size->has_value() && **size >= bounds.least && **size <= bounds.most;
  }

  Status write_tiles() {
    for (const Tile& tile : tiles_of(ours_.checkpoint.size)) {
      if (options_.stop_requested && options_.stop_requested()) {
        return fail(ErrorCode::kInterrupted,
                    "interrupted; what was published before is still valid, run `muniment "
                    "publish` again to go on");
      }
      const std::string relative = tile_path(tile);
      if (!options_.compare_all && end_of(tile) <= covered_) {
        Result<bool> there = is_there(tile, relative);
        if (!there) return pass(there);
        if (*there) {
          report_.set_kept(report_.kept() + 1);
          continue;
        }
      }
      Result<std::string> bytes = tile_bytes(log_, tile);
      if (!bytes) return pass(bytes);
      if (Status status = write(relative, *bytes); !status) return status;
    }
    return folder_.sync();
  }

  Status write_checkpoint() {
    if (Status status = write(std::string(kCheckpointFile), ours_.note); !status) return status;
    return folder_.sync();
  }

  Status write(const std::string& relative, const std::string& bytes) {
    const Result<std::optional<std::string>> there = folder_.files().read(relative, bytes.size());
    // What cannot be read, or is no file, is replaced like what is not right.
    if (there && *there == bytes) {
      folder_.keep(relative);
      report_.set_kept(report_.kept() + 1);
      return {};
    }
    report_.set_written(report_.written() + 1);
    return folder_.put(relative, bytes);
  }

  const LogReader& log_;
  PublishFolder& folder_;
  const PublishOptions& options_;
  SignedHead ours_;
  std::string published_;      // the note that was there
  std::uint64_t covered_ = 0;  // its size
  v1::PublishReport report_;
};

}  // namespace

Result<v1::PublishReport> publish(const LogReader& log, PublishFolder& folder,
                                  const PublishOptions& options) {
  return Publisher(log, folder, options).run();
}

}  // namespace muniment
