#include "cli/verify_published_folder.h"

#include <functional>

#include "cli/folder_below.h"
#include "replay/tiles.h"
#include "replay/verify_published.h"

namespace muniment {

Result<v1::VerifyReport> verify_published_folder(const std::string& folder, const Trust& trust) {
  Result<FolderBelow> below = FolderBelow::open(folder);
  if (!below) return pass(below);
  const PublishedFiles files{
      .read = [&](const std::string& path, std::uint64_t most) { return below->read(path, most); },
      .list =
          [&](const std::function<void(const std::string&)>& visit) {
            // What a publisher has not put in its place yet is nobody's business.
            return below->list("", kPublishingFolder, visit);
          },
  };
  v1::VerifyReport report = verify_published(files, trust);
  report.set_store(folder);
  return report;
}

}  // namespace muniment
