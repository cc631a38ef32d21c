// Waiting for what another process or thread will bring about.
#ifndef MUNIMENT_TESTS_SUPPORT_COMES_TRUE_H_
#define MUNIMENT_TESTS_SUPPORT_COMES_TRUE_H_

#include <chrono>
#include <functional>
#include <thread>

namespace muniment {

// Whether the condition holds within `limit`; it is asked again after each `pause`.
inline bool comes_true(const std::function<bool()>& condition,
                       std::chrono::seconds limit = std::chrono::seconds(20),
                       std::chrono::milliseconds pause = std::chrono::milliseconds(2)) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(pause);
  }
  return true;
}

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_COMES_TRUE_H_
