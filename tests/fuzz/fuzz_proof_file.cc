// A proof as a file comes from anywhere: bytes that are taken for one must be its only spelling,
// and whatever it claims, the verifier ends and says why.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

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

const muniment::Digest kRoot = muniment::sha256("a root that no hashes are known to lead to");

void check_inclusion(std::string_view bytes) {
  const auto read = muniment::parse_inclusion(bytes);
  if (!read) return require_message(read, muniment::ErrorCode::kInvalid);
  require(muniment::format_inclusion(*read) == bytes);
  require(read->hashes.size() <= 63 && !read->checkpoint.empty());
  const auto verdict = muniment::verify_inclusion(muniment::leaf_hash(bytes), read->index,
                                                  bytes.size(), read->hashes, kRoot);
  require(!verdict);
  require_message(verdict, muniment::ErrorCode::kCorrupt);
}

void check_consistency(std::string_view bytes) {
  const auto read = muniment::parse_consistency(bytes);
  if (!read) return require_message(read, muniment::ErrorCode::kInvalid);
  require(muniment::format_consistency(*read) == bytes);
  require(read->hashes.size() <= 63 && !read->checkpoint.empty());
  const auto verdict = muniment::verify_consistency(read->old_size, bytes.size(), read->hashes,
                                                    muniment::sha256(bytes), kRoot);
  require(!verdict);
  require_message(verdict, muniment::ErrorCode::kCorrupt);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_inclusion(bytes);
  check_consistency(bytes);
  if (size < 4) return 0;
  // Proofs with a byte changed: nearer to one than what the fuzzer finds by itself.
  const std::vector<muniment::Digest> hashes(data[0] % 4U, muniment::sha256(bytes));
  std::string inclusion = muniment::format_inclusion({std::string(bytes), data[1], hashes, "note"});
  inclusion[(data[2] * 256U + data[3]) % inclusion.size()] = bytes[1];
  check_inclusion(inclusion);
  std::string consistency = muniment::format_consistency({data[1], hashes, "note"});
  consistency[(data[2] * 256U + data[3]) % consistency.size()] = bytes[1];
  check_consistency(consistency);
  return 0;
}
