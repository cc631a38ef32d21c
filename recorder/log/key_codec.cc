#include "recorder/log/key_codec.h"

#include <limits>

#include "recorder/core/check.h"

namespace muniment {
namespace {

constexpr std::size_t kSequenceBytes = 8;
constexpr std::size_t kCommitmentBytes = 32;

// Saturates: an event may claim any time, and its row must still have an order.
std::int64_t nanoseconds_of(const google::protobuf::Timestamp& time) {
  constexpr std::int64_t kPerSecond = 1'000'000'000;
  std::int64_t scaled = 0;
  std::int64_t sum = 0;
  if (__builtin_mul_overflow(time.seconds(), kPerSecond, &scaled) ||
      __builtin_add_overflow(scaled, static_cast<std::int64_t>(time.nanos()), &sum)) {
    return time.seconds() < 0 ? std::numeric_limits<std::int64_t>::min()
                              : std::numeric_limits<std::int64_t>::max();
  }
  return sum;
}

// The longest key but for the name of a module.
constexpr std::size_t kUsualKeyBytes = 64;

}  // namespace

std::string sequence_key(std::uint64_t sequence) {
  std::string key(kSequenceBytes, '\0');
  for (std::size_t i = kSequenceBytes; i-- > 0;) {
    key[i] = static_cast<char>(sequence & 0xffU);
    sequence >>= 8U;
  }
  return key;
}

std::uint64_t decode_sequence(std::string_view eight_bytes) {
  check(eight_bytes.size() == kSequenceBytes, "a sequence has eight bytes");
  std::uint64_t sequence = 0;
  for (const char byte : eight_bytes) {
    sequence = (sequence << 8U) | static_cast<unsigned char>(byte);
  }
  return sequence;
}

std::string node_key(std::uint8_t level, std::uint64_t index) {
  return static_cast<char>(level) + sequence_key(index);
}

std::string index_prefix(IndexTag tag, std::string_view value) {
  std::string prefix(1, static_cast<char>(tag));
  prefix += value;
  if (tag == IndexTag::kByModule) prefix += '\0';
  return prefix;
}

std::string time_value(std::int64_t nanoseconds) {
  constexpr std::uint64_t kSignBit = 1ULL << 63U;
  return sequence_key(static_cast<std::uint64_t>(nanoseconds) ^ kSignBit);
}

std::string type_value(std::uint32_t body_number) {
  return {static_cast<char>((body_number >> 8U) & 0xffU), static_cast<char>(body_number & 0xffU)};
}

std::string id_key(std::string_view event_id) {
  return index_prefix(IndexTag::kById, event_id);
}

void visit_index_rows(const v1::Event& event, std::uint64_t sequence,
                      const IndexRowVisitor& visit) {
  const std::string encoded = sequence_key(sequence);
  std::string key;
  key.reserve(kUsualKeyBytes);
  const auto row = [&](IndexTag tag, std::string_view value) {
    key.assign(1, static_cast<char>(tag));
    key += value;
    if (tag == IndexTag::kByModule) key += '\0';
    key += encoded;
    visit(key, {});
  };
  key.assign(1, static_cast<char>(IndexTag::kById));
  key += event.event_id();
  visit(key, encoded);
  if (!event.run_id().empty()) row(IndexTag::kByRun, event.run_id());
  if (!event.about_run().empty() && event.about_run() != event.run_id()) {
    row(IndexTag::kByRun, event.about_run());
  }
  if (!event.module().empty()) row(IndexTag::kByModule, event.module());
  row(IndexTag::kByType, type_value(static_cast<std::uint32_t>(event.body_case())));
  row(IndexTag::kByTime, time_value(nanoseconds_of(event.recorded_at())));
  if (!event.has_run_started()) return;
  const std::string& actor = event.actor().claimed().commitment();
  if (actor.size() == kCommitmentBytes) row(IndexTag::kByActor, actor);
  row(IndexTag::kByStart, "");
}

std::vector<IndexRow> index_rows(const v1::Event& event, std::uint64_t sequence) {
  std::vector<IndexRow> rows;
  rows.reserve(8);
  visit_index_rows(event, sequence, [&](std::string_view key, std::string_view value) {
    rows.emplace_back(key, value);
  });
  return rows;
}

void set_sequence(std::vector<IndexRow>& rows, std::uint64_t sequence) {
  const std::string encoded = sequence_key(sequence);
  for (auto& [key, value] : rows) {
    if (value.empty()) {
      key.replace(key.size() - kSequenceBytes, kSequenceBytes, encoded);
    } else {
      value = encoded;
    }
  }
}

}  // namespace muniment
