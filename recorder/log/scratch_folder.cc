#include "recorder/log/scratch_folder.h"

#include <stdlib.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "recorder/log/store_layout.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

}  // namespace

ScratchFolder::~ScratchFolder() {
  if (path_.empty()) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

ScratchFolder::ScratchFolder(ScratchFolder&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

ScratchFolder& ScratchFolder::operator=(ScratchFolder&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

Status ScratchFolder::make() {
  std::error_code error;
  const fs::path parent = fs::temp_directory_path(error);
  std::string path = (error ? fs::path("/tmp") : parent) / "muniment-reader-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) {
    return system_error("cannot make a temporary folder " + path);
  }
  path_ = std::move(path);
  return {};
}

}  // namespace muniment
