// Test vectors that others published. They are no part of the project: a test that finds none is
// skipped and says so.
#ifndef MUNIMENT_TESTS_SUPPORT_VECTORS_H_
#define MUNIMENT_TESTS_SUPPORT_VECTORS_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tests/support/read_file.h"
#include "tests/support/strict_json.h"

namespace muniment {

// $MUNIMENT_VECTORS, or shared/vectors beside the checkout.
inline std::string vectors_folder() {
  const char* const given = std::getenv("MUNIMENT_VECTORS");
  return given != nullptr ? given : std::string(MUNIMENT_SOURCE_DIR) + "/../shared/vectors";
}

// First in a test that needs the file or folder of that name.
#define SKIP_WITHOUT_VECTORS(name)                                                  \
  if (!std::filesystem::exists(muniment::vectors_folder() + "/" + (name))) {        \
    GTEST_SKIP() << "no vectors at " << muniment::vectors_folder() << "/" << (name) \
                 << "; MUNIMENT_VECTORS names the folder";                          \
  }                                                                                 \
  static_assert(true)

// Fails the test, and is null, where the file is no JSON.
inline Json read_vectors(const std::string& path) {
  std::optional<Json> json = parse_json(read_file(path));
  EXPECT_TRUE(json) << path << " is no JSON";
  return json ? *std::move(json) : Json{};
}

// The member of that name; fails the test, and is null, where there is none.
inline const Json& member(const Json& object, std::string_view name) {
  static const Json kNone;
  const Json* const found = object.find(name);
  EXPECT_NE(found, nullptr) << "no member " << name;
  return found != nullptr ? *found : kNone;
}

// The bytes that hexadecimal digits name.
inline std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_VECTORS_H_
