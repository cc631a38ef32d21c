// Events of one type, found by the index: gates are asked of a log that may be long.
#ifndef MUNIMENT_RECORDER_VISIT_TYPE_H_
#define MUNIMENT_RECORDER_VISIT_TYPE_H_

#include <functional>

#include "recorder/log/queries.h"

namespace muniment {

// Calls `visit` with all events of one type, in order, until it fails. Its error, or that of
// reading: kCorrupt where a row of the index leads to no event.
Status visit_type(const LogReader& log, v1::Event::BodyCase type,
                  const std::function<Status(const StoredEvent&)>& visit);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_VISIT_TYPE_H_
