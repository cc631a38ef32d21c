#include "recorder/log/prover.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <string>

#include "recorder/core/check.h"
#include "recorder/log/key_codec.h"

namespace muniment {
namespace {

// The leaves [begin, end).
struct Leaves {
  std::uint64_t begin;
  std::uint64_t end;

  std::uint64_t count() const { return end - begin; }
};

// Where RFC 6962 divides two leaves and more: behind the largest power of two smaller than their
// number. The left part is a perfect subtree, then.
std::uint64_t middle_of(const Leaves& leaves) {
  return leaves.begin + std::bit_floor(leaves.count() - 1);
}

Result<Digest> read_node(const LogReader& log, std::uint8_t level, std::uint64_t index) {
  Result<std::optional<std::string>> value = log.get(Table::kNode, node_key(level, index));
  if (!value) return pass(value);
  const bool is_present = value->has_value();
  if (is_present && (*value)->size() == sizeof(Digest)) return digest_from_bytes(**value);
  return fail(ErrorCode::kCorrupt,
              "node " + std::to_string(index) + " on level " + std::to_string(level) +
                  " of the tree " +
                  (is_present ? "has " + std::to_string((*value)->size()) + " bytes, expected 32"
                              : std::string("is missing")) +
                  ": run `muniment verify`, then `muniment reindex`");
}

// The hash of the subtree over these leaves, from those of the perfect subtrees in it.
// REQUIRES: a range that RFC 6962 comes to when it divides a tree; then each of them has a row.
Result<Digest> hash_of(const LogReader& log, const Leaves& leaves) {
  // The smallest perfect subtree is the rightmost.
  std::uint64_t end = leaves.end;
  std::optional<Digest> hash;
  for (std::uint64_t left = leaves.count(); left != 0; left &= left - 1) {
    const auto level = static_cast<std::uint8_t>(std::countr_zero(left));
    end -= std::uint64_t{1} << level;
    Result<Digest> node = read_node(log, level, end >> level);
    if (!node) return pass(node);
    hash = hash ? node_hash(*node, *hash) : *node;
  }
  return hash ? *hash : sha256("");
}

// `parts` were found from the root down; a proof goes the other way.
Result<std::vector<Digest>> proof_of(const LogReader& log, std::vector<Leaves> parts) {
  std::ranges::reverse(parts);
  std::vector<Digest> proof;
  for (const Leaves& part : parts) {
    Result<Digest> hash = hash_of(log, part);
    if (!hash) return pass(hash);
    proof.push_back(*hash);
  }
  return proof;
}

}  // namespace

Result<Digest> root_at(const LogReader& log, std::uint64_t size) {
  return hash_of(log, {0, size});
}

Result<std::vector<Digest>> prove_inclusion(const LogReader& log, std::uint64_t index,
                                            std::uint64_t size) {
  check(index < size, "an event that is proven to be in a log is one of its events");
  std::vector<Leaves> siblings;
  Leaves leaves{0, size};
  while (leaves.count() > 1) {
    const std::uint64_t middle = middle_of(leaves);
    if (index < middle) {
      siblings.push_back({middle, leaves.end});
      leaves.end = middle;
    } else {
      siblings.push_back({leaves.begin, middle});
      leaves.begin = middle;
    }
  }
  return proof_of(log, std::move(siblings));
}

Result<std::vector<Digest>> prove_consistency(const LogReader& log, std::uint64_t old_size,
                                              std::uint64_t size) {
  check(old_size > 0 && old_size <= size, "an older log has events, and no more than the newer");
  std::vector<Leaves> parts;
  Leaves leaves{0, size};
  while (leaves.end != old_size) {
    const std::uint64_t middle = middle_of(leaves);
    if (old_size <= middle) {
      parts.push_back({middle, leaves.end});
      leaves.end = middle;
    } else {
      parts.push_back({leaves.begin, middle});
      leaves.begin = middle;
    }
  }
  // The old tree as a whole is what its verifier has.
  if (leaves.begin != 0) parts.push_back(leaves);
  return proof_of(log, std::move(parts));
}

}  // namespace muniment
