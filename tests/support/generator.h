// Random input for tests that can be had again: each failure names its seed.
#ifndef MUNIMENT_TESTS_SUPPORT_GENERATOR_H_
#define MUNIMENT_TESTS_SUPPORT_GENERATOR_H_

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>

namespace muniment {

// Draws from a seed that differs with every run, or from MUNIMENT_SEED. A test puts
// `SCOPED_TRACE(generator.seed_line())` first, so that a failure prints what to set.
class Generator {
 public:
  Generator() : seed_(chosen_seed()), engine_(seed_) {}

  std::string seed_line() const { return "MUNIMENT_SEED=" + std::to_string(seed_); }

  // 0 … bound - 1. REQUIRES: bound > 0.
  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(engine_);
  }
  std::size_t between(std::size_t least, std::size_t most) {
    return least + below(most - least + 1);
  }
  bool one_in(std::size_t n) { return below(n) == 0; }

  // `size` bytes, each one of `alphabet`.
  std::string text(std::size_t size, std::string_view alphabet) {
    std::string out;
    for (std::size_t i = 0; i < size; ++i) out += alphabet[below(alphabet.size())];
    return out;
  }

  // `size` bytes of any value.
  std::string bytes(std::size_t size) {
    std::string out;
    for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(below(256));
    return out;
  }

 private:
  static std::uint64_t chosen_seed() {
    const char* const given = std::getenv("MUNIMENT_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  }

  std::uint64_t seed_;
  std::mt19937_64 engine_;
};

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_GENERATOR_H_
