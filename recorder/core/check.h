// A check that stays on in release builds: for a broken program, never for bad input.
#ifndef MUNIMENT_RECORDER_CORE_CHECK_H_
#define MUNIMENT_RECORDER_CORE_CHECK_H_

#include <cstdio>
#include <cstdlib>

namespace muniment {

// REQUIRES: `why` states the contract that was broken.
inline void check(bool holds, const char* why) {
  if (holds) return;
  std::fprintf(stderr, "muniment: broken contract: %s\n", why);
  std::abort();
}

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_CHECK_H_
