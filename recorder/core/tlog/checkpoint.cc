#include "recorder/core/tlog/checkpoint.h"

#include <charconv>
#include <limits>
#include <optional>
#include <system_error>

#include "recorder/core/base64.h"
#include "recorder/core/check.h"
#include "recorder/core/text.h"
#include "recorder/core/tlog/lines.h"
#include "recorder/core/tlog/note.h"

namespace muniment {
namespace {

constexpr std::size_t kMostQuoted = 60;

std::string in_quotes(std::string_view foreign) {
  return "\"" + inert_short(foreign, kMostQuoted) + "\"";
}

bool is_line(std::string_view text) {
  return !text.empty() && !text.contains('\n');
}

}  // namespace

std::string checkpoint_text(const Checkpoint& checkpoint) {
  check(is_line(checkpoint.origin), "the origin of a checkpoint is one line");
  std::string text = checkpoint.origin + "\n" + std::to_string(checkpoint.size) + "\n" +
                     base64(as_bytes(checkpoint.root)) + "\n";
  for (const std::string& extension : checkpoint.extensions) {
    check(is_line(extension), "an extension of a checkpoint is one line");
    text += extension + "\n";
  }
  return text;
}

Result<Checkpoint> parse_checkpoint(std::string_view text) {
  Lines lines("the checkpoint", text);
  Checkpoint checkpoint;

  const std::optional<std::string_view> origin = lines.next();
  if (!origin) return lines.missing("is to name the log's origin and to end in a newline");
  if (origin->empty()) return lines.wrong("is empty: it is to name the log's origin");
  checkpoint.origin = *origin;

  const std::optional<std::string_view> size = lines.next();
  if (!size) return lines.missing("is to hold the log's size and to end in a newline");
  const Result<std::uint64_t> number = parse_decimal(*size, "the log's size");
  if (!number) return lines.wrong("is wrong: " + number.error().message);
  checkpoint.size = *number;

  const std::optional<std::string_view> root = lines.next();
  if (!root) return lines.missing("is to hold the root in base64 and to end in a newline");
  const std::optional<std::string> bytes = base64_decoded_strictly(*root);
  if (!bytes || bytes->size() != checkpoint.root.size()) {
    return lines.wrong("is to be the base64 of a root of 32 bytes, not " + in_quotes(*root));
  }
  checkpoint.root = digest_from_bytes(*bytes);
  if (checkpoint.size == 0 && checkpoint.root != sha256("")) {
    return lines.wrong("is not the root of a log without events, whose size line 2 states");
  }

  while (const std::optional<std::string_view> extension = lines.next()) {
    if (extension->empty()) return lines.wrong("is empty: an extension has at least one character");
    checkpoint.extensions.emplace_back(*extension);
  }
  if (!lines.rest().empty()) return lines.missing("does not end in a newline");
  return checkpoint;
}

Result<std::uint64_t> parse_decimal(std::string_view text, std::string_view what) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  const bool spelled_once = text == "0" || (!text.starts_with('0') && !text.empty());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (spelled_once && error == std::errc{} && end == text.data() + text.size() && number <= kMost) {
    return number;
  }
  return fail(ErrorCode::kInvalid,
              std::string(what) + " is to be a decimal number without leading zeros, at most " +
                  std::to_string(kMost) + ", not " + in_quotes(text));
}

Result<Checkpoint> checkpoint_in(std::string_view note) {
  const Result<Note> parsed = parse_note(note);
  if (!parsed) return fail(parsed.error().code, "no signed note: " + parsed.error().message);
  return parse_checkpoint(parsed->text);
}

}  // namespace muniment
