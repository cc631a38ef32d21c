#include "recorder/inbox_poller.h"

#include <chrono>

#include "recorder/log/inbox.h"

namespace muniment {

InboxPoller::InboxPoller(std::string store_folder, LogWriter& log,
                         std::function<void(const std::string&)> complain)
    : store_folder_(std::move(store_folder)),
      log_(log),
      complain_(std::move(complain)),
      thread_([this] { loop(); }) {}

InboxPoller::~InboxPoller() {
  {
    const std::scoped_lock lock(mutex_);
    done_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void InboxPoller::loop() {
  std::unique_lock lock(mutex_);
  while (!done_) {
    lock.unlock();
    drain();
    lock.lock();
    wake_.wait_for(lock, std::chrono::milliseconds(500), [this] { return done_; });
  }
  lock.unlock();
  drain();
}

void InboxPoller::drain() {
  const Result<Drained> drained = drain_inbox(store_folder_, log_);
  std::string complaint = drained ? "" : drained.error().message;
  if (drained && !drained->refused.empty()) complaint = drained->refused.front();
  if (!complaint.empty() && complaint != complained_) complain_("inbox: " + complaint);
  complained_ = complaint;
}

}  // namespace muniment
