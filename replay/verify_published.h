// The stranger's check of a published log (see tiles.h for its files): from the entries alone the
// tree is computed again and compared with the checkpoint, and with every tile that is there.
//
// Bounded memory: a bundle, and for each level of tiles the one that is being filled. One pass.
#ifndef MUNIMENT_REPLAY_VERIFY_PUBLISHED_H_
#define MUNIMENT_REPLAY_VERIFY_PUBLISHED_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "muniment/v1/report.pb.h"
#include "recorder/core/result.h"
#include "replay/trust.h"

namespace muniment {

// Where the files are. Paths are relative: "tile/0/000".
struct PublishedFiles {
  // The content of a file of at most `most` bytes; absent: there is none. kCorrupt: something lies
  // there that no published log has (a link, more bytes). Any other error: it cannot be read.
  std::function<Result<std::optional<std::string>>(const std::string& path, std::uint64_t most)>
      read;
  // Visits every path that is there, in any order. Called once, after the checkpoint was read, so
  // that a publisher at work looks like one that has not begun.
  std::function<Status(const std::function<void(const std::string& path)>& visit)> list;
};

// The report's `what` is "log", its `events` are the entries that were hashed, its `root_hash` is
// what they give. Findings, beside those of judge_checkpoint():
//
//   truncated   a file that the checkpoint needs is missing
//   tampered    an entry, a tile or a partial tile of an earlier size is not what the rest of the
//               tree says; where only the root differs, sequence 0 stands for "not known which";
//               a file that does not belong
//
// Where an entry and its tile differ, the tree above them decides which of them is wrong.
// No finding: files of more events than the checkpoint covers, and what a publisher left who was
// killed; they are counted as caveats.
v1::VerifyReport verify_published(const PublishedFiles& files, const Trust& trust);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_VERIFY_PUBLISHED_H_
