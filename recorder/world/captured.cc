#include "recorder/world/captured.h"

#include "recorder/core/digest.h"

namespace muniment {
namespace {

void list(const PathList& paths, google::protobuf::RepeatedPtrField<std::string>* out) {
  for (const std::string& path : paths.listed) out->Add(std::string(path));
}

}  // namespace

v1::BackupWritten to_fact(const Captured& artifact, const std::string& path) {
  const Capture& capture = artifact.capture;
  v1::BackupWritten fact;
  fact.set_path(path);
  fact.set_size_bytes(capture.file.size_bytes);
  fact.set_sha256(std::string(as_bytes(capture.file.sha256)));
  fact.set_file_mode(capture.file.mode);
  fact.set_uid(capture.file.uid);
  fact.set_gid(capture.file.gid);
  fact.set_compression(artifact.compression);
  fact.set_fsynced(true);
  fact.set_content_bytes(capture.file.content_bytes);
  fact.set_content_sha256(std::string(as_bytes(capture.file.content_sha256)));
  fact.set_entries(capture.entries);
  list(capture.changed, fact.mutable_changed());
  list(capture.vanished, fact.mutable_vanished());
  list(capture.not_archived, fact.mutable_not_archived());
  fact.set_changed_count(capture.changed.count);
  fact.set_vanished_count(capture.vanished.count);
  fact.set_not_archived_count(capture.not_archived.count);
  fact.set_check(capture.check);
  return fact;
}

}  // namespace muniment
