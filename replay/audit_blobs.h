// What events name and hold elsewhere: blobs, each of which is there or was erased in the open.
#ifndef MUNIMENT_REPLAY_AUDIT_BLOBS_H_
#define MUNIMENT_REPLAY_AUDIT_BLOBS_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "muniment/v1/event.pb.h"
#include "muniment/v1/report.pb.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"

namespace muniment {

// A value; its const members are thread-safe. `log` must outlive it.
class BlobJudge {
 public:
  // Digests that need not be looked for again: events of one run name the same ones.
  using Seen = std::unordered_set<std::string>;

  // How a blob is looked for. kAllKeys: in a list of the keys that are there, 16 bytes for each,
  // which read() makes; the bytes are for somebody else to hash. kEach: in the log, with its bytes.
  enum class Look { kAllKeys, kEach };

  // Reads which texts were erased.
  static Result<BlobJudge> read(const LogReader& log, Look look);

  // Something wrong with a blob that an event names.
  struct Finding {
    std::string sha256;  // 32 bytes, as the event says
    std::string what;
    std::string found;
    std::uint64_t sequence = 0;  // of the event
  };
  using Tell = std::function<void(Finding)>;

  // A blob that an event names and that is not there is a finding, unless it is a text that some
  // event erased; with kEach also one that has other bytes.
  void judge(const v1::Event& event, std::uint64_t sequence, Seen& seen, const Tell& tell) const;

  // Texts that are there although an event says that they were erased.
  Status judge_erased(v1::VerifyReport& report) const;

 private:
  // The first 16 bytes of a key: nobody finds two digests that have the same ones.
  using ShortKey = std::array<char, 16>;

  BlobJudge(const LogReader& log, Look look) : log_(&log), look_(look) {}

  static ShortKey short_key(std::string_view sha256);
  Status list_keys();
  void judge_one(const v1::Event& event, std::uint64_t sequence, const std::string& sha256,
                 bool erasable, const Tell& tell) const;

  const LogReader* log_;
  Look look_;
  std::vector<ShortKey> keys_;  // in order
  std::map<std::string, std::uint64_t, std::less<>>
      erased_;  // commitment -> the event that says so
};

// The first findings of many, in order of their events: one for each blob, by whichever thread and
// in whatever order they come in. Thread-safe.
class BlobFindings {
 public:
  void add(BlobJudge::Finding finding);
  void report_to(v1::VerifyReport& report) const;

 private:
  mutable std::mutex mutex_;
  std::vector<BlobJudge::Finding> rows_;  // at most kMostFindings, by sequence
};

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_AUDIT_BLOBS_H_
