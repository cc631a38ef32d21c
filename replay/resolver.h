// What became of the texts behind commitments.
#ifndef MUNIMENT_REPLAY_RESOLVER_H_
#define MUNIMENT_REPLAY_RESOLVER_H_

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "muniment/v1/common.pb.h"

namespace muniment {

// Finds the text of an Erasable, and where it is gone the event that erased it. A value that knows
// how to look; whatever it looks into must outlive it.
class Resolver {
 public:
  using FindText = std::function<std::optional<std::string>(const v1::Erasable&)>;
  using FindErasure = std::function<std::optional<std::uint64_t>(const v1::Erasable&)>;

  // Finds nothing, and is false.
  Resolver() = default;
  // A function that finds texts is a resolver already.
  template <class Find>
    requires(std::constructible_from<FindText, Find> &&
             !std::same_as<std::remove_cvref_t<Find>, Resolver>)
  Resolver(Find find) : find_text_(std::move(find)) {}
  Resolver(FindText find_text, FindErasure find_erasure)
      : find_text_(std::move(find_text)), find_erasure_(std::move(find_erasure)) {}

  explicit operator bool() const { return static_cast<bool>(find_text_); }

  // Absent when the text is gone.
  std::optional<std::string> operator()(const v1::Erasable& field) const {
    return find_text_ ? find_text_(field) : std::nullopt;
  }

  // The sequence of the event that erased the text, where one is known.
  std::optional<std::uint64_t> erased_by(const v1::Erasable& field) const {
    return find_erasure_ ? find_erasure_(field) : std::nullopt;
  }

  // "[erased by #12]", "[erased]": what stands in the place of a text that is gone.
  std::string words_for_gone(const v1::Erasable& field) const {
    const std::optional<std::uint64_t> sequence = erased_by(field);
    return sequence ? "[erased by #" + std::to_string(*sequence) + "]" : "[erased]";
  }

 private:
  FindText find_text_;
  FindErasure find_erasure_;
};

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_RESOLVER_H_
