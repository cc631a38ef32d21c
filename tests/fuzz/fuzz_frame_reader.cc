// The frame reader must take any bytes, split anywhere, and say the same of them each time.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "recorder/world/engine/frame_reader.h"

namespace {

struct Heard {
  std::string out;
  std::string err;
  bool failed = false;
  std::string message;
  bool at_boundary = false;
};

Heard hear(std::string_view bytes, std::size_t step) {
  Heard heard;
  muniment::FrameReader reader;
  while (!bytes.empty() && !heard.failed) {
    const std::string_view piece = bytes.substr(0, step);
    bytes.remove_prefix(piece.size());
    const muniment::Status fed =
        reader.feed(piece, [&](muniment::ExecChannel channel, std::string_view payload) {
          (channel == muniment::ExecChannel::kOut ? heard.out : heard.err) += payload;
          return muniment::Status();
        });
    heard.failed = !fed;
    if (!fed) heard.message = fed.error().message;
  }
  heard.at_boundary = reader.at_boundary();
  return heard;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // The first byte says how the rest is split.
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const Heard whole = hear(bytes, bytes.size() + 1);
  const Heard split = hear(bytes, data[0] % 32U + 1U);
  const bool same = whole.out == split.out && whole.err == split.err &&
                    whole.failed == split.failed && whole.message == split.message;
  if (!same || (!whole.failed && whole.at_boundary != split.at_boundary)) std::abort();
  if (whole.out.size() + whole.err.size() > bytes.size()) std::abort();
  return 0;
}
