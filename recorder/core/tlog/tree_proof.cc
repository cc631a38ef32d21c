#include "recorder/core/tlog/tree_proof.h"

#include <bit>
#include <cstddef>
#include <string>

namespace muniment {
namespace {

// The RFC's `fn` and `sn`: the number, on one level of the tree, of the node that is reached and of
// the level's last node.
struct Place {
  std::uint64_t node;
  std::uint64_t last;

  void up() {
    node >>= 1U;
    last >>= 1U;
  }
};

enum class Side { kLeft, kRight };

// One round of the RFC's loops but for its hashing: goes up to the node that the next hash of the
// proof helps to make, and says on which side that hash stands.
Side climb(Place& place) {
  const bool is_left = (place.node & 1U) != 0 || place.node == place.last;
  if (is_left) {
    // A last node without a sibling is its parent, unchanged.
    while ((place.node & 1U) == 0 && place.node != 0) place.up();
  }
  place.up();
  return is_left ? Side::kLeft : Side::kRight;
}

// How many hashes lead from here to the root: the RFC's demand that `sn` is 0 at the end of the
// proof and not before, as a number.
std::size_t hashes_to_root(Place place) {
  std::size_t count = 0;
  for (; place.last != 0; ++count) climb(place);
  return count;
}

Digest joined(Side side, const Digest& sibling, const Digest& hash) {
  return side == Side::kLeft ? node_hash(sibling, hash) : node_hash(hash, sibling);
}

std::string hashes(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " hash" : " hashes");
}

std::unexpected<Error> wrong_length(const std::string& proof, std::size_t found,
                                    std::size_t expected) {
  return fail(ErrorCode::kCorrupt, proof + " has " + hashes(found) + " where " +
                                       std::to_string(expected) +
                                       " lead to the root: ask for the proof again");
}

std::unexpected<Error> wrong_root(const std::string& proof, const char* which, const Digest& found,
                                  const Digest& expected) {
  return fail(ErrorCode::kCorrupt, proof + " leads to the " + which + " " + to_hex(found) +
                                       ", expected " + to_hex(expected) +
                                       ": trust neither before you know which of them was changed");
}

}  // namespace

Status verify_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size, Proof proof,
                        const Digest& root) {
  const std::string named =
      "the proof that event " + std::to_string(index) + " is in the log of " + std::to_string(size);
  if (index >= size) {
    return fail(ErrorCode::kCorrupt,
                named +
                    " cannot be one: the events of that log end before it; take a later "
                    "checkpoint");
  }
  Place place{index, size - 1};
  const std::size_t expected = hashes_to_root(place);
  if (proof.size() != expected) return wrong_length(named, proof.size(), expected);

  Digest hash = leaf;
  for (const Digest& sibling : proof) hash = joined(climb(place), sibling, hash);
  if (hash != root) return wrong_root(named, "root", hash, root);
  return {};
}

Status verify_consistency(std::uint64_t old_size, std::uint64_t size, Proof proof,
                          const Digest& old_root, const Digest& root) {
  const std::string named = "the proof that the log of " + std::to_string(old_size) +
                            " is the beginning of the log of " + std::to_string(size);
  if (old_size == 0) {
    return fail(ErrorCode::kCorrupt,
                named +
                    " proves nothing: every log begins with none; compare with a checkpoint of "
                    "at least one event");
  }
  if (old_size > size) {
    return fail(ErrorCode::kCorrupt, named + " cannot be one: the log has become shorter");
  }
  if (old_size == size) {
    if (!proof.empty()) return wrong_length(named, proof.size(), 0);
    if (old_root != root) return wrong_root(named, "root", old_root, root);
    return {};
  }

  // The old tree's rightmost perfect subtree. When that is all of it, its hash is the old root, and
  // the proof leaves it out.
  Place place{old_size - 1, size - 1};
  while ((place.node & 1U) != 0) place.up();
  const bool starts_at_root = std::has_single_bit(old_size);
  const std::size_t expected = hashes_to_root(place) + (starts_at_root ? 0 : 1);
  if (proof.size() != expected) return wrong_length(named, proof.size(), expected);

  Digest old_hash = starts_at_root ? old_root : proof.front();
  Digest hash = old_hash;
  for (const Digest& sibling : starts_at_root ? proof : proof.subspan(1)) {
    const Side side = climb(place);
    if (side == Side::kLeft) old_hash = joined(side, sibling, old_hash);
    hash = joined(side, sibling, hash);
  }
  if (old_hash != old_root) return wrong_root(named, "older root", old_hash, old_root);
  if (hash != root) return wrong_root(named, "newer root", hash, root);
  return {};
}

}  // namespace muniment
