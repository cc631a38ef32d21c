#include "recorder/world/run_manifest.h"

#include <string_view>

#include "recorder/core/backup_class.h"
#include "recorder/core/digest.h"
#include "recorder/core/notation.h"
#include "recorder/core/text.h"

namespace muniment {
namespace {

std::string in_quotes(std::string_view foreign) {
  return json_quote(valid_utf8(foreign));
}

// The count is exact where the list is cut.
std::string paths(const PathList& list) {
  std::string out = "{\"count\": " + std::to_string(list.count) + ", \"first\": [";
  for (std::size_t i = 0; i < list.listed.size(); ++i) {
    if (i != 0) out += ", ";
    out += in_quotes(list.listed[i]);
  }
  return out + "]}";
}

std::string artifact_json(const Captured& artifact) {
  const Capture& capture = artifact.capture;
  const StoredFile& file = capture.file;
  std::string out = "    {\n";
  const auto line = [&out](const char* key, const std::string& value, bool last = false) {
    out += std::string("      \"") + key + "\": " + value + (last ? "\n" : ",\n");
  };
  line("file", in_quotes(artifact.name));
  line("size_bytes", std::to_string(file.size_bytes));
  line("sha256", in_quotes(to_hex(file.sha256)));
  line("mode", in_quotes(octal_mode(file.mode)));
  line("compression", in_quotes(artifact.compression));
  line("content_bytes", std::to_string(file.content_bytes));
  line("content_sha256", in_quotes(to_hex(file.content_sha256)));
  line("entries", std::to_string(capture.entries));
  line("changed", paths(capture.changed));
  line("vanished", paths(capture.vanished));
  line("not_archived", paths(capture.not_archived));
  line("check", in_quotes(capture.check));
  line("verified", artifact.verified ? "true" : "false", true);
  return out + "    }";
}

}  // namespace

std::string run_manifest_json(const Place& place, const std::vector<const Captured*>& artifacts) {
  const v1::BackupClass backup_class =
      artifacts.empty() ? v1::BACKUP_CLASS_UNSPECIFIED : artifacts.front()->backup_class;
  std::string out = "{\n  \"muniment_manifest\": 1,\n";
  out += "  \"run_id\": " + in_quotes(place.run_id) + ",\n";
  out += "  \"module\": " + in_quotes(place.module) + ",\n";
  out += "  \"class\": " + in_quotes(class_word(backup_class)) + ",\n";
  out += "  \"artifacts\": [\n";
  for (std::size_t i = 0; i < artifacts.size(); ++i) {
    if (i != 0) out += ",\n";
    out += artifact_json(*artifacts[i]);
  }
  return out + "\n  ]\n}\n";
}

}  // namespace muniment
