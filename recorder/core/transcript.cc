#include "recorder/core/transcript.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace muniment {
namespace {

// What is cut is cut in parts of this size at most.
constexpr std::size_t kPartBytes = 4096;

}  // namespace

void Transcript::add(std::uint64_t arrival, bool is_error, std::string_view line) {
  std::string whole = is_error ? "err| " : "out| ";
  whole += line;
  if (!whole.ends_with('\n')) whole += '\n';
  for (std::size_t at = 0; at < whole.size(); at += kPartBytes) {
    insert(arrival, {whole.substr(at, kPartBytes), at == 0});
  }
}

void Transcript::insert(std::uint64_t arrival, Part part) {
  const std::size_t size = part.text.size();
  const bool early = tail_.empty() || (!head_.empty() && arrival < std::prev(head_.end())->first);
  (early ? head_bytes_ : tail_bytes_) += size;
  (early ? head_ : tail_).emplace(arrival, std::move(part));
  while (head_bytes_ > half_) {
    const auto last = std::prev(head_.end());
    const std::size_t moved = last->second.text.size();
    head_bytes_ -= moved;
    tail_bytes_ += moved;
    // Before those of the same arrival: it came before them.
    tail_.emplace_hint(tail_.begin(), last->first, std::move(last->second));
    head_.erase(last);
  }
  while (tail_bytes_ > half_) {
    tail_bytes_ -= tail_.begin()->second.text.size();
    cut_bytes_ += tail_.begin()->second.text.size();
    tail_.erase(tail_.begin());
  }
}

std::string Transcript::text() const {
  std::string out;
  out.reserve(head_bytes_ + tail_bytes_ + kMarkBytes);
  for (const auto& [arrival, part] : head_) out += part.text;
  if (cut_bytes_ > 0) {
    if (!out.empty() && !out.ends_with('\n')) out += '\n';
    out += "[" + std::to_string(cut_bytes_) + " bytes left out]\n";
    if (!tail_.empty() && !tail_.begin()->second.starts_line) out += "...| ";
  }
  for (const auto& [arrival, part] : tail_) out += part.text;
  return out;
}

}  // namespace muniment
