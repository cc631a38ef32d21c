#include "recorder/core/redact.h"

#include <algorithm>
#include <utility>

#include "recorder/core/secret_names.h"
#include "recorder/core/secret_shapes.h"

namespace muniment {
namespace {

// A longer line is looked at in parts, so that a stream without line ends does not fill the memory.
constexpr std::size_t kLongestLine = std::size_t{1} << 20U;

}  // namespace

void Redactor::add_secret(std::string rule, std::string value) {
  while (value.ends_with('\n') || value.ends_with('\r')) value.pop_back();
  known_.add(std::move(rule), std::move(value));
}

void Redactor::add_environment(const std::vector<std::string>& environment) {
  for (const std::string& variable : environment) {
    const std::size_t sign = variable.find('=');
    if (sign == std::string::npos) continue;
    const std::string name = variable.substr(0, sign);
    if (is_secret_name(name)) add_secret("env:" + name, variable.substr(sign + 1));
  }
}

std::string Redactor::replace_known(std::string_view text) const {
  std::string out;
  out.reserve(text.size());
  std::size_t covered = 0;
  known_.replace(text, text.size(), covered, out);
  return out;
}

// Known values go first: a rule that knows only where a value begins may end too early in it.
std::string Redactor::redact(std::string_view text) const {
  return mask_shapes(replace_known(text));
}

std::vector<std::string> Redactor::redact_arguments(
    const std::vector<std::string>& arguments) const {
  std::vector<std::string> out;
  out.reserve(arguments.size());
  for (const std::string& argument : arguments) out.push_back(replace_known(argument));
  return mask_arguments(out);
}

RedactedTail::RedactedTail(const Redactor& redactor, std::size_t keep_bytes)
    : redactor_(redactor), keep_bytes_(keep_bytes) {}

void RedactedTail::write(std::string_view piece) {
  pending_ += piece;
  const std::size_t held_back = redactor_.longest_form();
  // Moving the rest to the front pays only when much more than the rest was settled.
  if (pending_.size() >= 2 * held_back + 4096) settle(pending_.size() - held_back);
}

void RedactedTail::settle(std::size_t decided) {
  const std::size_t seen = line_.size();
  redactor_.known_.replace(pending_, decided, covered_, line_);
  pending_.erase(0, decided);
  const std::size_t line_end = std::string_view(line_).substr(seen).rfind('\n');
  if (line_end != std::string_view::npos) {
    keep(seen + line_end + 1);
  } else if (line_.size() > kLongestLine) {
    keep(line_.size());
  }
}

void RedactedTail::keep(std::size_t line_bytes) {
  tail_ += mask_shapes(std::string_view(line_).substr(0, line_bytes));
  line_.erase(0, line_bytes);
  if (tail_.size() > keep_bytes_) tail_.erase(0, tail_.size() - keep_bytes_);
}

std::string RedactedTail::finish() {
  settle(pending_.size());
  keep(line_.size());
  return std::move(tail_);
}

}  // namespace muniment
