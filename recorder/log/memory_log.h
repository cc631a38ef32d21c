// The log in memory: same contract, same rows; for tests and for questions that leave nothing
// behind.
#ifndef MUNIMENT_RECORDER_LOG_MEMORY_LOG_H_
#define MUNIMENT_RECORDER_LOG_MEMORY_LOG_H_

#include <memory>
#include <string>

#include "recorder/log/store.h"

namespace muniment {

std::unique_ptr<Store> make_memory_log(std::string origin);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_MEMORY_LOG_H_
