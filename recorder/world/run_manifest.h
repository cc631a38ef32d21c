// manifest.json: what lies beside the artifacts says what they are, without the log.
#ifndef MUNIMENT_RECORDER_WORLD_RUN_MANIFEST_H_
#define MUNIMENT_RECORDER_WORLD_RUN_MANIFEST_H_

#include <string>
#include <vector>

#include "recorder/world/captured.h"
#include "recorder/world/place.h"

namespace muniment {

// One JSON document, `"muniment_manifest": 1`, valid UTF-8 whatever the names are; digests in
// lower-case hexadecimal, modes as "0600". Same artifacts, same bytes.
std::string run_manifest_json(const Place& place, const std::vector<const Captured*>& artifacts);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_RUN_MANIFEST_H_
