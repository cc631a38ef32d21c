#include "recorder/core/tlog/proof_file.h"

#include "recorder/core/base64.h"
#include "recorder/core/check.h"
#include "recorder/core/text.h"
#include "recorder/core/tlog/checkpoint.h"
#include "recorder/core/tlog/lines.h"

namespace muniment {
namespace {

constexpr std::string_view kHeader = "c2sp.org/tlog-proof@v1";
constexpr std::string_view kExtra = "extra ";
constexpr std::string_view kIndex = "index ";
constexpr std::string_view kOld = "old ";
constexpr std::size_t kMostHashes = 63;

// The hashes, the empty line and the checkpoint: what both kinds of file end in.
void add_rest(std::string& text, const std::vector<Digest>& hashes, std::string_view checkpoint) {
  check(hashes.size() <= kMostHashes, "a proof has at most 63 hashes");
  check(!checkpoint.empty(), "a proof is worth nothing without a checkpoint");
  for (const Digest& hash : hashes) text += base64(as_bytes(hash)) + "\n";
  text += "\n";
  text += checkpoint;
}

// The line "index 412".
Result<std::uint64_t> read_number(Lines& lines, std::string_view word, std::string_view what) {
  const std::string expected = "is to begin with \"" + std::string(word) + "\"";
  const std::optional<std::string_view> line = lines.next();
  if (!line) return lines.missing(expected);
  if (!line->starts_with(word)) return lines.wrong(expected);
  const Result<std::uint64_t> number = parse_decimal(line->substr(word.size()), what);
  if (!number) return lines.wrong("is wrong: " + number.error().message);
  return *number;
}

Result<std::vector<Digest>> read_hashes(Lines& lines) {
  std::vector<Digest> hashes;
  while (const std::optional<std::string_view> line = lines.next()) {
    if (line->empty()) return hashes;
    const std::optional<std::string> bytes = base64_decoded_strictly(*line);
    if (!bytes || bytes->size() != sizeof(Digest)) {
      return lines.wrong("is to be the base64 of a hash of 32 bytes, not \"" +
                         inert_short(*line, 60) + "\"");
    }
    if (hashes.size() == kMostHashes) return lines.wrong("is one hash more than the 63 of a proof");
    hashes.push_back(digest_from_bytes(*bytes));
  }
  return lines.missing("is to be empty, with the checkpoint behind it");
}

Result<std::string> read_checkpoint(const Lines& lines) {
  if (lines.rest().empty()) return lines.missing("is to begin the checkpoint");
  return std::string(lines.rest());
}

// What both kinds of file end with.
Status read_rest(Lines& lines, std::vector<Digest>& hashes, std::string& checkpoint) {
  Result<std::vector<Digest>> read = read_hashes(lines);
  if (!read) return pass(read);
  hashes = *std::move(read);
  Result<std::string> note = read_checkpoint(lines);
  if (!note) return pass(note);
  checkpoint = *std::move(note);
  return {};
}

}  // namespace

std::string format_inclusion(const InclusionFile& file) {
  std::string text(kHeader);
  text += "\n";
  if (file.extra) text += std::string(kExtra) + base64(*file.extra) + "\n";
  text += std::string(kIndex) + std::to_string(file.index) + "\n";
  add_rest(text, file.hashes, file.checkpoint);
  return text;
}

std::string format_consistency(const ConsistencyFile& file) {
  std::string text = std::string(kOld) + std::to_string(file.old_size) + "\n";
  add_rest(text, file.hashes, file.checkpoint);
  return text;
}

Result<InclusionFile> parse_inclusion(std::string_view bytes) {
  Lines lines("the proof", bytes);
  InclusionFile file;
  const std::optional<std::string_view> header = lines.next();
  if (header != kHeader) {
    return fail(ErrorCode::kInvalid,
                "line 1 of the proof is to be \"" + std::string(kHeader) + "\"");
  }
  if (lines.next_starts_with(kExtra)) {
    const std::optional<std::string_view> line = lines.next();
    if (!line) return lines.missing("does not end in a newline");
    file.extra = base64_decoded_strictly(line->substr(kExtra.size()));
    if (!file.extra) return lines.wrong("has no base64 behind \"extra \"");
  }
  Result<std::uint64_t> index = read_number(lines, kIndex, "the event's index");
  if (!index) return pass(index);
  file.index = *index;
  if (Status rest = read_rest(lines, file.hashes, file.checkpoint); !rest) return pass(rest);
  return file;
}

Result<ConsistencyFile> parse_consistency(std::string_view bytes) {
  Lines lines("the proof", bytes);
  ConsistencyFile file;
  Result<std::uint64_t> old_size = read_number(lines, kOld, "the older log's size");
  if (!old_size) return pass(old_size);
  file.old_size = *old_size;
  if (Status rest = read_rest(lines, file.hashes, file.checkpoint); !rest) return pass(rest);
  return file;
}

}  // namespace muniment
