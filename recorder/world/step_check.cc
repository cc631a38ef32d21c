#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

#include "recorder/core/backup_class.h"
#include "recorder/core/digest.h"
#include "recorder/core/glob.h"
#include "recorder/core/text.h"
#include "recorder/world/compression.h"
#include "recorder/world/place.h"
#include "recorder/world/step_check.h"

namespace muniment {
namespace {

constexpr std::size_t kLongestFileName = 200;
constexpr std::size_t kShown = 256;

std::unexpected<Error> invalid(const v1::Step& step, const std::string& what) {
  return fail(ErrorCode::kInvalid,
              "step of module " + inert_short(step.module(), kShown) + ": " + what);
}

std::string path_fault(std::string_view path) {
  if (is_plain_absolute(path)) return {};
  return "path " + inert_short(path, kShown) +
         " is not absolute and plain (expected /a/b without empty, . or .. components)";
}

std::string file_name_fault(std::string_view name) {
  const bool plain = !name.empty() && name.size() <= kLongestFileName && name.front() != '.' &&
                     name.find('/') == std::string_view::npos &&
                     name.find('\0') == std::string_view::npos && name != kRunManifestName;
  if (plain) return {};
  return "artifact " + inert_short(name, kShown) +
         " is not a plain file name (expected one component of at most 200 bytes, without a "
         "leading dot, and not manifest.json)";
}

std::string folders_fault(const v1::Step& step) {
  const auto place = place_of_partial(step.partial_folder());
  if (!place) return place.error().message;
  if (step.final_folder() != place->final_folder()) {
    return "final folder " + inert_short(step.final_folder(), kShown) + " is not " +
           inert_short(place->final_folder(), kShown) + ", which belongs to the partial folder";
  }
  if (step.module() != place->module) {
    return "partial folder " + inert_short(step.partial_folder(), kShown) +
           " is not in the module's folder";
  }
  return {};
}

std::string discard_fault(const v1::Step& step) {
  const auto place = place_of_partial(step.partial_folder());
  if (!place) return place.error().message;
  if (!step.module().empty() && step.module() != place->module) {
    return "partial folder " + inert_short(step.partial_folder(), kShown) +
           " is not in the module's folder";
  }
  if (!step.of_run().empty() && step.of_run() != place->run_id) {
    return "partial folder " + inert_short(step.partial_folder(), kShown) + " is not of run " +
           inert_short(step.of_run(), kShown);
  }
  return {};
}

std::string container_fault(const v1::Step& step) {
  const std::string& id = step.container().container_id();
  if (is_hex_digest(id)) return {};
  return "container id " + inert_short(id, kShown) +
         " is not whole (expected 64 hexadecimal digits)";
}

std::string service_fault(const v1::Step& step) {
  if (!step.has_container()) {
    return "class " + class_word(step.backup_class()) + " names no container";
  }
  const bool named =
      step.backup_class() == v1::BACKUP_CLASS_POSTGRES ? step.has_postgres() : step.has_redis();
  return named ? std::string() : "class " + class_word(step.backup_class()) + " names no capture";
}

std::string source_fault(const v1::Step& step) {
  if (step.has_container()) {
    if (std::string fault = container_fault(step); !fault.empty()) return fault;
  }
  if (step.backup_class() == v1::BACKUP_CLASS_POSTGRES ||
      step.backup_class() == v1::BACKUP_CLASS_REDIS) {
    return service_fault(step);
  }
  if (step.backup_class() == v1::BACKUP_CLASS_SQLITE) {
    if (!step.has_sqlite()) return "class sqlite names no database";
    return path_fault(step.sqlite().path());
  }
  if (step.backup_class() != v1::BACKUP_CLASS_FILES) {
    return "this release captures the classes postgres, redis, sqlite and files alone; change the "
           "module's "
           "class";
  }
  if (!step.has_files() || step.files().paths().empty()) return "class files names no path";
  for (const std::string& path : step.files().paths()) {
    if (std::string fault = path_fault(path); !fault.empty()) return fault;
  }
  for (const std::string& pattern : step.files().exclude()) {
    if (const std::string_view fault = glob_error(pattern); !fault.empty()) {
      return "exclusion " + inert_short(pattern, kShown) + ": " + std::string(fault);
    }
  }
  return {};
}

std::string capture_fault(const v1::Step& step) {
  if (std::string fault = folders_fault(step); !fault.empty()) return fault;
  if (std::string fault = file_name_fault(step.artifact()); !fault.empty()) return fault;
  if (!parse_compression(step.compression())) {
    return "compression " + inert_short(step.compression(), kShown) +
           " is unknown (expected none or zstd:1 to zstd:19)";
  }
  return source_fault(step);
}

std::string verify_fault(const v1::Step& step) {
  if (std::string fault = folders_fault(step); !fault.empty()) return fault;
  return file_name_fault(step.artifact());
}

// The program first, then files of arguments, each with its digest.
std::string command_fault(const v1::Step& step) {
  const v1::HostCommand& command = step.command();
  if (!step.has_command() || command.argv().empty()) return "kind command names no command";
  if (command.timeout_seconds() == 0) return "the command has no time-out";
  if (std::string fault = path_fault(command.working_folder()); !fault.empty()) return fault;
  for (int i = 0; i < command.files_size(); ++i) {
    const v1::BoundFile& file = command.files(i);
    const bool placed = i == 0 ? file.argument() == 0
                               : file.argument() > command.files(i - 1).argument() &&
                                     file.argument() < static_cast<unsigned>(command.argv_size());
    if (placed && file.sha256().size() == std::tuple_size_v<Digest>) continue;
    return "file " + inert_short(file.path(), kShown) + " is bound to argument " +
           std::to_string(file.argument()) +
           " (expected the program at 0, then arguments in order, each with a SHA-256)";
  }
  if (command.files().empty()) return "the command is bound to no program";
  return {};
}

std::string fault_of(const v1::Step& step) {
  switch (step.kind()) {
    case v1::STEP_KIND_CAPTURE:
      return capture_fault(step);
    case v1::STEP_KIND_VERIFY:
      return verify_fault(step);
    case v1::STEP_KIND_COMMIT:
      return folders_fault(step);
    case v1::STEP_KIND_DISCARD:
      return discard_fault(step);
    case v1::STEP_KIND_COMMAND:
      return command_fault(step);
    case v1::STEP_KIND_QUIESCE:
    case v1::STEP_KIND_RESUME:
    case v1::STEP_KIND_UNSPECIFIED:
    case v1::StepKind_INT_MIN_SENTINEL_DO_NOT_USE_:
    case v1::StepKind_INT_MAX_SENTINEL_DO_NOT_USE_:
      break;
  }
  return "this release cannot carry out a step of this kind (expected capture, verify, commit, "
         "discard or command)";
}

}  // namespace

Status validate_step(const v1::Step& step) {
  const std::string fault = fault_of(step);
  if (!fault.empty()) return invalid(step, fault);
  return {};
}

}  // namespace muniment
