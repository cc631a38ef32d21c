// Events of one type, found by the index.
#ifndef MUNIMENT_RECORDER_VISIT_TYPE_H_
#define MUNIMENT_RECORDER_VISIT_TYPE_H_

#include <cstdint>
#include <functional>

#include "recorder/log/queries.h"

namespace muniment {

// All events of one type, in order, until `visit` fails. Its error, or that of reading.
inline Status visit_type(const LogReader& log, v1::Event::BodyCase type,
                         const std::function<Status(const StoredEvent&)>& visit) {
  Status failure;
  Status read = read_indexed(log, IndexTag::kByType, type_value(static_cast<std::uint32_t>(type)),
                             0, Direction::kForward, [&](const StoredEvent& stored) {
                               failure = visit(stored);
                               return failure.has_value();
                             });
  return failure ? read : failure;
}

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_VISIT_TYPE_H_
