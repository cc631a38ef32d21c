#include "replay/verify_published.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "recorder/core/digest.h"
#include "recorder/core/tlog/tile.h"
#include "replay/published_files.h"
#include "replay/published_tree.h"
#include "replay/tiles.h"

namespace muniment {
namespace {

// Bundles behind all tiles; those of one place next to each other.
std::tuple<bool, std::uint8_t, std::uint64_t, unsigned> place_of(const Tile& tile) {
  return {!tile.level, tile.level.value_or(0), tile.index, tile.width};
}
bool is_before(const Tile& a, const Tile& b) {
  return place_of(a) < place_of(b);
}

class Check {
 public:
  Check(const PublishedFiles& files, const Trust& trust)
      : files_(files), trust_(trust), reader_(files, report_) {}

  v1::VerifyReport run() {
    report_.set_what("log");
    const std::optional<std::string> note = reader_.checkpoint();
    if (!note) return std::move(report_);
    const std::optional<Checkpoint> checkpoint = judge_checkpoint(*note, trust_, report_);
    if (!checkpoint) return std::move(report_);
    size_ = checkpoint->size;
    sort_files();
    check_tree(checkpoint->root);
    tell_rest();
    worsen(report_, kIntact);
    return std::move(report_);
  }

 private:
  void sort_files() {
    const Status listed = files_.list([this](const std::string& path) { sort_file(path); });
    if (!listed) add_finding(report_, kCannotRead, listed.error().message);
    std::sort(earlier_.begin(), earlier_.end(), is_before);
  }

  void sort_file(const std::string& path) {
    if (path == kCheckpointFile) return;
    if (path == kPublishingFolder || path.starts_with(std::string(kPublishingFolder) + "/")) {
      is_unfinished_ = true;
      return;
    }
    const Result<Tile> tile = parse_tile_path(path);
    if (!tile) {
      add_finding(report_, kTampered, path + " does not belong to a published log");
    } else if (end_of(*tile) > size_) {
      ++beyond_;
    } else if (!tile->is_full()) {
      earlier_.push_back(*tile);
    }
  }

  void check_tree(const Digest& root) {
    PublishedTree tree(
        size_, reader_, report_,
        [this](std::uint8_t level, std::uint64_t index, const std::vector<Digest>& believed) {
          check_earlier({.level = level, .index = index, .width = 0}, believed);
          if (level > 0) return;
          check_earlier({.level = {}, .index = index, .width = 0}, believed);
        });
    bool is_whole = true;
    for (std::uint64_t index = 0; is_whole && index * kTileWidth < size_; ++index) {
      const std::uint64_t rest = size_ - index * kTileWidth;
      const auto width = static_cast<unsigned>(std::min<std::uint64_t>(rest, kTileWidth));
      auto leaves = reader_.leaves({.level = {}, .index = index, .width = width});
      is_whole = tree.add(leaves ? std::move(*leaves) : std::vector<Digest>());
      if (!is_whole) {
        report_.add_caveats("nothing was checked behind event " +
                            std::to_string(index * kTileWidth) +
                            ": neither entries nor tiles say how the tree goes on");
      }
    }
    if (is_whole) report_.set_root_hash(std::string(as_bytes(tree.finish(root))));
    report_.set_events(tree.leaves());
    report_.set_nodes(nodes_ + tree.compared());
  }

  // Partial tiles and bundles of earlier sizes hold the beginning of what is there now.
  void check_earlier(const Tile& place, const std::vector<Digest>& believed) {
    auto at = std::lower_bound(earlier_.begin(), earlier_.end(), place, is_before);
    for (; at != earlier_.end() && at->level == place.level && at->index == place.index; ++at) {
      // As wide as the tree is here: that one was compared already.
      if (at->width >= believed.size()) continue;
      const std::optional<std::vector<Digest>> hashes = reader_.earlier(*at);
      if (!hashes) continue;
      if (at->level) nodes_ += hashes->size();
      const auto [now, then] =
          std::mismatch(believed.begin(), believed.begin() + std::ssize(*hashes), hashes->begin());
      if (then == hashes->end()) continue;
      const auto where = static_cast<std::uint64_t>(then - hashes->begin());
      const unsigned shift = at->level.value_or(0) * kTileHeight;
      add_finding(report_, kTampered,
                  tile_path(*at) +
                      ", which was published for an earlier size, has another history than the "
                      "checkpoint",
                  to_hex(*now), to_hex(*then), (at->index * kTileWidth + where) << shift);
    }
  }

  void tell_rest() {
    if (beyond_ > 0) {
      report_.add_caveats(std::to_string(beyond_) +
                          " files are of more events than the checkpoint covers: not checked");
    }
    if (is_unfinished_) {
      report_.add_caveats("a publisher is at work, or was killed: `muniment publish` goes on");
    }
  }

  const PublishedFiles& files_;
  const Trust& trust_;
  v1::VerifyReport report_;
  PublishedReader reader_;
  std::uint64_t size_ = 0;
  std::vector<Tile> earlier_;
  std::uint64_t beyond_ = 0;
  std::uint64_t nodes_ = 0;  // in partial tiles of earlier sizes
  bool is_unfinished_ = false;
};

}  // namespace

v1::VerifyReport verify_published(const PublishedFiles& files, const Trust& trust) {
  return Check(files, trust).run();
}

}  // namespace muniment
