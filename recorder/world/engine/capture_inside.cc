#include "recorder/world/engine/capture_inside.h"

namespace muniment {

Result<std::vector<Captured>> capture_inside(const InsideTarget& target,
                                             ContainerCommands& commands) {
  const v1::Step& step = target.step;
  if (step.has_postgres()) return capture_postgres(target, commands);
  if (step.has_redis()) return capture_redis(target, commands);
  if (step.has_sqlite()) return capture_container_sqlite(target, commands);
  return capture_container_files(target, commands);
}

}  // namespace muniment
