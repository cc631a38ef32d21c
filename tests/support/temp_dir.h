// A folder that lives as long as a test.
#ifndef MUNIMENT_TESTS_SUPPORT_TEMP_DIR_H_
#define MUNIMENT_TESTS_SUPPORT_TEMP_DIR_H_

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "recorder/core/check.h"

namespace muniment {

// Makes an empty folder of mode 0700 under `parent`, by default $TMPDIR (else /tmp), and removes it
// with all that is in it. Its path has no symbolic link in it.
struct TempDir {
  TempDir() : TempDir(std::filesystem::temp_directory_path()) {}
  explicit TempDir(const std::filesystem::path& parent) {
    path = (parent / "muniment-test-XXXXXX").string();
    check(::mkdtemp(path.data()) != nullptr, "a temporary folder can be made");
    path = std::filesystem::canonical(path).string();
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  // A place in memory, where nothing that is made durable costs time; else $TMPDIR.
  static std::filesystem::path fast_parent() {
    const std::filesystem::path memory = "/dev/shm";
    std::error_code none;
    return std::filesystem::is_directory(memory, none) ? memory
                                                       : std::filesystem::temp_directory_path();
  }

  // A path inside.
  std::string operator/(const std::string& name) const { return path + "/" + name; }

  std::string path;
};

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_TEMP_DIR_H_
