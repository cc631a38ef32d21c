// The text of a checkpoint is what a key signs: bytes that are taken for one must be its only
// spelling.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "recorder/core/tlog/checkpoint.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_text(std::string_view text) {
  const auto read = muniment::parse_checkpoint(text);
  if (read) {
    require(muniment::checkpoint_text(*read) == text);
    require(!read->origin.empty() && read->size <= std::uint64_t{INT64_MAX});
    require(read->size > 0 || read->root == muniment::sha256(""));
  } else {
    require(read.error().code == muniment::ErrorCode::kInvalid);
    require(muniment::is_valid_utf8(read.error().message));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_text(bytes);
  const auto number = muniment::parse_decimal(bytes, "a number");
  require(!number || std::to_string(*number) == bytes);
  if (size < 2) return 0;
  // A checkpoint with a byte changed: nearer to one than what the fuzzer finds by itself.
  std::string text = muniment::checkpoint_text({"log", size, muniment::sha256(bytes), {}});
  text[data[0] % text.size()] = bytes[1];
  check_text(text);
  return 0;
}
