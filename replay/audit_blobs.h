// What events name and hold elsewhere: blobs, each of which is there or was erased in the open.
#ifndef MUNIMENT_REPLAY_AUDIT_BLOBS_H_
#define MUNIMENT_REPLAY_AUDIT_BLOBS_H_

#include <cstdint>
#include <map>
#include <string>
#include <unordered_set>

#include "muniment/v1/event.pb.h"
#include "muniment/v1/report.pb.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"

namespace muniment {

// A value; its const members are thread-safe. `log` must outlive it.
class BlobJudge {
 public:
  // Digests that were found to be there. Events of one run name the same ones again and again.
  using Seen = std::unordered_set<std::string>;

  // Reads which texts were erased.
  static Result<BlobJudge> read(const LogReader& log);

  // A blob that an event names and that is not there is a finding, unless it is a text that some
  // event erased. With `with_content` its bytes must be those that were named, too.
  void judge(const v1::Event& event, std::uint64_t sequence, bool with_content, Seen& seen,
             v1::VerifyReport& report) const;

  // Texts that are there although an event says that they were erased.
  Status judge_erased(v1::VerifyReport& report) const;

 private:
  explicit BlobJudge(const LogReader& log) : log_(&log) {}

  const LogReader* log_;
  std::map<std::string, std::uint64_t, std::less<>>
      erased_;  // commitment -> the event that says so
};

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_AUDIT_BLOBS_H_
