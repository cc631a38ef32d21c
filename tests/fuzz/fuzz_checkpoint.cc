// The text of a checkpoint is what a key signs: bytes that are taken for one must be its only
// spelling.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "recorder/core/tlog/checkpoint.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = muniment::parse_checkpoint(text);
  if (read) {
    require(muniment::checkpoint_text(*read) == text);
    require(!read->origin.empty() && read->size <= std::uint64_t{INT64_MAX});
    require(read->size > 0 || read->root == muniment::sha256(""));
  } else {
    require(read.error().code == muniment::ErrorCode::kInvalid);
    require(muniment::is_valid_utf8(read.error().message));
  }
  const auto number = muniment::parse_decimal(text, "a number");
  require(!number || std::to_string(*number) == text);
  return 0;
}
