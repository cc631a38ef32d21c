// The mode of a file as Go programs print it; engines are such.
#ifndef MUNIMENT_RECORDER_WORLD_ENGINE_GO_FILE_MODE_H_
#define MUNIMENT_RECORDER_WORLD_ENGINE_GO_FILE_MODE_H_

#include <cstdint>

#include "recorder/world/engine/engine_reader.h"

namespace muniment {

// Sets kind and mode of `path` from the number of Go's os.FileMode, whose bits above the nine
// permissions are Go's own (https://pkg.go.dev/io/fs#FileMode), not those of stat.
void apply_go_mode(std::uint32_t go_mode, ContainerPath& path);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_ENGINE_GO_FILE_MODE_H_
