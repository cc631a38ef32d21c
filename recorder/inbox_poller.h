// Takes in what other processes leave while a run holds the store.
#ifndef MUNIMENT_RECORDER_INBOX_POLLER_H_
#define MUNIMENT_RECORDER_INBOX_POLLER_H_

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "recorder/log/event_log.h"

namespace muniment {

// Drains the inbox at once, then twice a second, until it dies; once more at its death. `log` must
// outlive it. `complain` is called from its thread, once for each file that is refused.
class InboxPoller {
 public:
  // Starts the thread. REQUIRES: the caller holds the store's lock.
  InboxPoller(std::string store_folder, LogWriter& log,
              std::function<void(const std::string&)> complain);
  // Waits for the thread; what was left until now is in the log then, or was refused.
  ~InboxPoller();
  InboxPoller(const InboxPoller&) = delete;
  InboxPoller& operator=(const InboxPoller&) = delete;

 private:
  void loop();
  void drain();

  std::string store_folder_;
  LogWriter& log_;
  std::function<void(const std::string&)> complain_;
  std::string complained_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool done_ = false;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_INBOX_POLLER_H_
