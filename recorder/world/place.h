// Where a run's artifacts lie: ROOT/MODULE/.RUN_ID.partial until the commit, ROOT/MODULE/RUN_ID
// after it. Names alone; folders.h touches the disk.
#ifndef MUNIMENT_RECORDER_WORLD_PLACE_H_
#define MUNIMENT_RECORDER_WORLD_PLACE_H_

#include <string>
#include <string_view>

#include "recorder/core/result.h"

namespace muniment {

inline constexpr std::string_view kRunManifestName = "manifest.json";

// A value: the parts of a partial folder's path.
struct Place {
  std::string root;    // absolute
  std::string module;  // one component
  std::string run_id;  // UUID, lower case

  std::string module_folder() const;
  std::string partial_name() const { return "." + run_id + ".partial"; }
  std::string partial_folder() const { return module_folder() + "/" + partial_name(); }
  std::string final_folder() const { return module_folder() + "/" + run_id; }
};

// Takes ROOT/MODULE/.RUN_ID.partial apart; kInvalid when it is not of that shape.
Result<Place> place_of_partial(std::string_view partial_folder);

// The run id in `.RUN_ID.partial`, or "" when the name is not of that shape.
std::string_view run_of_partial_name(std::string_view name);

// Whether a path is absolute, without NUL and without empty, `.` or `..` components; "/" is one.
bool is_plain_absolute(std::string_view path);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_PLACE_H_
