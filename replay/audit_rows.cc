#include "replay/audit_rows.h"

#include <xxhash.h>

#include <algorithm>

#include "muniment/v1/event.pb.h"
#include "recorder/core/digest.h"
#include "recorder/log/key_codec.h"
#include "recorder/log/merkle.h"
#include "recorder/log/queries.h"
#include "replay/trust.h"

namespace muniment {
namespace {

constexpr std::size_t kSequenceBytes = 8;
constexpr std::size_t kNodeKeyBytes = 1 + kSequenceBytes;

// The sequence in a row of kIndex; absent: no index row looks like that.
std::optional<std::uint64_t> sequence_of(std::string_view key, std::string_view value) {
  if (value.size() == kSequenceBytes) return decode_sequence(value);
  if (key.size() <= kSequenceBytes) return std::nullopt;
  return decode_sequence(key.substr(key.size() - kSequenceBytes));
}

// How many events must be there for a node to be; absent: no node looks like that.
std::optional<std::uint64_t> events_under(std::string_view key) {
  constexpr unsigned char kHighest = 63;
  if (key.size() != kNodeKeyBytes) return std::nullopt;
  const auto level = static_cast<unsigned char>(key.front());
  const std::uint64_t index = decode_sequence(key.substr(1));
  if (level > kHighest || index >= (UINT64_MAX >> level)) return std::nullopt;
  return (index + 1) << level;
}

bool is_behind(Table table, std::string_view key, std::string_view value, std::uint64_t events) {
  if (table == Table::kNode) return events_under(key).value_or(0) > events;
  const std::optional<std::uint64_t> sequence = sequence_of(key, value);
  return sequence && *sequence >= events;
}

// Whether the table is right but for rows of events that are not there any more.
Result<bool> differs_behind_the_end_alone(const RowSearch& search, Table table,
                                          const RowSum& derived, std::uint64_t seed) {
  if (!search.is_cut) return false;
  RowSum before(seed);
  Status scanned = search.log.scan(table, "", Direction::kForward, [&](auto key, auto value) {
    if (!is_behind(table, key, value, search.events)) before.add(key, value);
    return true;
  });
  if (!scanned) return pass(scanned);
  return before == derived;
}

bool lacks_index_row(const LogReader& log, const v1::Event& event, std::uint64_t sequence,
                     v1::VerifyReport& report) {
  for (const auto& [key, value] : index_rows(event, sequence)) {
    const Result<std::optional<std::string>> row = log.get(Table::kIndex, key);
    if (row && row->has_value() && **row == value) continue;
    add_finding(report, kTampered, "an index row is missing or differs",
                to_hex(key) + " -> " + to_hex(value),
                row && row->has_value() ? to_hex(key) + " -> " + to_hex(**row) : "nothing",
                sequence);
    return true;
  }
  return false;
}

bool is_of_an_event(const LogReader& log, std::string_view key, std::string_view value) {
  const std::optional<std::uint64_t> sequence = sequence_of(key, value);
  if (!sequence) return false;
  const Result<StoredEvent> stored = read_event(log, *sequence);
  if (!stored) return false;
  const std::vector<IndexRow> rows = index_rows(stored->event, stored->sequence);
  return std::any_of(rows.begin(), rows.end(),
                     [&](const IndexRow& row) { return row.first == key && row.second == value; });
}

Status find_surplus_index_row(const RowSearch& search, v1::VerifyReport& report) {
  return search.log.scan(
      Table::kIndex, "", Direction::kForward, [&](std::string_view key, std::string_view value) {
        if (search.is_cut && is_behind(Table::kIndex, key, value, search.events)) return true;
        if (is_of_an_event(search.log, key, value)) return true;
        add_finding(report, kTampered, "an index row that no event made", "nothing",
                    to_hex(key) + " -> " + to_hex(value), sequence_of(key, value));
        return false;
      });
}

}  // namespace

void RowSum::add(std::string_view key, std::string_view value) {
  row_.assign(key);
  row_.push_back(static_cast<char>(key.size()));
  row_.append(value);
  const XXH128_hash_t hash = XXH3_128bits_withSeed(row_.data(), row_.size(), seed_);
  low_ += hash.low64;
  high_ += hash.high64;
  ++rows_;
}

void RowSum::add(const RowSum& other) {
  low_ += other.low_;
  high_ += other.high_;
  rows_ += other.rows_;
}

std::vector<std::string> piece_boundaries(Table table, std::uint64_t events) {
  if (table == Table::kNode) return {node_key(0, events / 2), node_key(1, 0)};
  if (table != Table::kIndex) return {};
  std::vector<std::string> boundaries;
  for (const IndexTag tag : {IndexTag::kById, IndexTag::kByModule, IndexTag::kByRun,
                             IndexTag::kByType, IndexTag::kByTime}) {
    boundaries.push_back(index_prefix(tag, ""));
    if (tag == IndexTag::kByModule) boundaries.back().pop_back();
  }
  std::sort(boundaries.begin(), boundaries.end());
  return boundaries;
}

Status sum_rows(const LogReader& log, Table table, std::string_view from, std::string_view end,
                RowSum& sum) {
  return log.scan(table, from, Direction::kForward, [&](auto key, auto value) {
    if (!end.empty() && key >= end) return false;
    sum.add(key, value);
    return true;
  });
}

Status find_bad_node(const RowSearch& search, const RowSum& derived, const RowSum& seen,
                     v1::VerifyReport& report) {
  Result<bool> behind = differs_behind_the_end_alone(search, Table::kNode, derived, search.seed);
  if (!behind) return pass(behind);
  if (*behind) {
    add_finding(report, kTruncated, "the tree has nodes of events that are not there",
                std::to_string(derived.rows()) + " rows", std::to_string(seen.rows()) + " rows",
                search.events);
    return {};
  }
  CompactRange tree;
  bool found = false;
  const auto compare = [&](std::uint8_t level, std::uint64_t index, const Digest& hash) {
    if (found) return;
    const Result<std::optional<std::string>> row =
        search.log.get(Table::kNode, node_key(level, index));
    if (row && row->has_value() && **row == as_bytes(hash)) return;
    found = true;
    const bool is_there = row && row->has_value();
    add_finding(report, kTampered,
                "a tree node (level " + std::to_string(level) + ", index " + std::to_string(index) +
                    ") differs",
                to_hex(hash),
                !is_there         ? "nothing"
                : (*row)->empty() ? "an empty value"
                                  : to_hex(**row),
                tree.size());
  };
  const Status status = search.log.scan(Table::kEvent, "", Direction::kForward,
                                        [&](std::string_view, std::string_view value) {
                                          if (tree.size() == search.events) return false;
                                          tree.append(leaf_hash(value), compare);
                                          return !found;
                                        });
  if (status && !found) {
    add_finding(report, kTampered, "the tree has nodes that no event made",
                std::to_string(derived.rows()) + " rows", std::to_string(seen.rows()) + " rows");
  }
  return status;
}

// Events that are damaged themselves are passed over: they are findings already.
Status find_bad_index_row(const RowSearch& search, const RowSum& derived,
                          v1::VerifyReport& report) {
  Result<bool> behind = differs_behind_the_end_alone(search, Table::kIndex, derived, search.seed);
  if (!behind) return pass(behind);
  if (*behind) {
    add_finding(report, kTruncated, "the index has rows of events that are not there",
                std::to_string(derived.rows()) + " rows", "more rows", search.events);
    return {};
  }
  bool found = false;
  v1::Event event;
  Status status = search.log.scan(
      Table::kEvent, "", Direction::kForward, [&](std::string_view at, std::string_view bytes) {
        const bool readable =
            at.size() == 8 && event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
        found = readable && lacks_index_row(search.log, event, decode_sequence(at), report);
        return !found;
      });
  if (!status || found) return status;
  return find_surplus_index_row(search, report);
}

}  // namespace muniment
