#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "recorder/world/engine/capture_inside.h"
#include "recorder/world/os.h"

namespace muniment {
namespace {

constexpr const char* kCopyName = "database-copy";

// Copies by the container's own sqlite3 into a temporary file there, prints it and removes it.
// -readonly: a path that is missing would be created otherwise.
constexpr const char* kScript =
    "t=$(mktemp) || exit 1; trap 'rm -f \"$t\"' EXIT; "
    "\"$1\" -readonly -bail \"$2\" '.timeout 30000' \".backup '$t'\" >&2 && cat \"$t\"";

// The copy as a file of ours, which the linked library then opens, checks and stores.
Result<std::string> fetch_copy(const InsideTarget& target, ContainerCommands& commands) {
  Result<Fd> file = create_private_file(target.folder, kCopyName);
  if (!file) return pass(file);
  std::string path = target.folder.path + "/" + kCopyName;
  const v1::SqliteCapture& source = target.step.sqlite();
  Command command{{"sh", "-c", kScript, "sqlite", source.tool(), source.path()}, {}, {}};
  command.out = [&](std::string_view piece) -> Status {
    commands.progress().advance(piece.size());
    while (!piece.empty()) {
      const ssize_t n = ::write(file->get(), piece.data(), piece.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return system_failure("write", path, errno);
      piece.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
  };
  if (Status ran = commands.run(command); !ran) return pass(ran);
  return path;
}

}  // namespace

Result<std::vector<Captured>> capture_container_sqlite(const InsideTarget& target,
                                                       ContainerCommands& commands) {
  if (const Result<InspectedContainer> now = commands.inspect(); !now) {
    return std::unexpected(now.error());
  }
  v1::SqliteCapture source = target.step.sqlite();
  const bool by_tool = source.host_path().empty();
  if (by_tool) {
    Result<std::string> copy = fetch_copy(target, commands);
    if (!copy) return pass(copy);
    source.set_path(*copy);
  } else {
    source.set_path(source.host_path());
  }
  const CaptureTarget place{target.folder, target.step.artifact(),
                            *parse_compression(target.step.compression()), target.backup_root};
  Result<Capture> captured = capture_sqlite(source, place, commands.progress());
  if (by_tool) {
    for (const char* suffix : {"", "-journal", "-wal", "-shm"}) {
      const std::string name = std::string(kCopyName) + suffix;
      ::unlinkat(target.folder.fd.get(), name.c_str(), 0);
    }
  }
  if (!captured) return pass(captured);
  return std::vector<Captured>{Captured{target.step.artifact(), target.step.compression(),
                                        target.step.backup_class(), std::move(*captured), false}};
}

}  // namespace muniment
