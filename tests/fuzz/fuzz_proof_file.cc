// A proof as a file comes from anywhere: bytes that are taken for one must be its only spelling,
// and whatever it claims, the verifier ends and says why.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "recorder/core/tlog/proof_file.h"
#include "recorder/core/tlog/tree_proof.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

template <class T>
void require_message(const muniment::Result<T>& refused, muniment::ErrorCode code) {
  require(refused.error().code == code && muniment::is_valid_utf8(refused.error().message));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const muniment::Digest hash = muniment::sha256(bytes);
  if (const auto read = muniment::parse_inclusion(bytes)) {
    require(muniment::format_inclusion(*read) == bytes);
    require(read->hashes.size() <= 63 && !read->checkpoint.empty());
    const auto verdict = muniment::verify_inclusion(hash, read->index, read->checkpoint.size(),
                                                    read->hashes, muniment::sha256("root"));
    require(!verdict);  // nobody finds the hashes that lead to that root
    require_message(verdict, muniment::ErrorCode::kCorrupt);
  } else {
    require_message(read, muniment::ErrorCode::kInvalid);
  }
  if (const auto read = muniment::parse_consistency(bytes)) {
    require(muniment::format_consistency(*read) == bytes);
    require(read->hashes.size() <= 63 && !read->checkpoint.empty());
    const auto verdict = muniment::verify_consistency(read->old_size, read->checkpoint.size(),
                                                      read->hashes, hash, muniment::sha256("root"));
    require(!verdict);
    require_message(verdict, muniment::ErrorCode::kCorrupt);
  } else {
    require_message(read, muniment::ErrorCode::kInvalid);
  }
  return 0;
}
