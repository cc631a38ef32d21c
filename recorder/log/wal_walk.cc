#include "recorder/log/wal_walk.h"

#include <rocksdb/write_batch.h>

#include <algorithm>
#include <vector>

#include "recorder/log/key_codec.h"

namespace muniment {
namespace {

// Beyond these a log is a ruin, and more lines help nobody.
constexpr std::size_t kMostFindingsPerLog = 64;

// Gathers the sequences that one batch puts into the table of events; passes over all else.
class EventSequences : public rocksdb::WriteBatch::Handler {
 public:
  explicit EventSequences(std::uint32_t family) : family_(family) {}
  const std::vector<std::uint64_t>& found() const { return found_; }

  rocksdb::Status PutCF(std::uint32_t family, const rocksdb::Slice& key,
                        const rocksdb::Slice& /*value*/) override {
    if (family == family_ && key.size() == 8) {
      found_.push_back(decode_sequence({key.data(), key.size()}));
    }
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteCF(std::uint32_t /*family*/, const rocksdb::Slice& /*key*/) override {
    return rocksdb::Status::OK();
  }
  rocksdb::Status SingleDeleteCF(std::uint32_t /*family*/, const rocksdb::Slice& /*key*/) override {
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteRangeCF(std::uint32_t /*family*/, const rocksdb::Slice& /*begin*/,
                                const rocksdb::Slice& /*end*/) override {
    return rocksdb::Status::OK();
  }
  rocksdb::Status MergeCF(std::uint32_t /*family*/, const rocksdb::Slice& /*key*/,
                          const rocksdb::Slice& /*value*/) override {
    return rocksdb::Status::OK();
  }
  rocksdb::Status MarkNoop(bool /*empty_batch*/) override { return rocksdb::Status::OK(); }

 private:
  std::uint32_t family_;
  std::vector<std::uint64_t> found_;
};

}  // namespace

FileFinding WalWalk::finding(std::size_t at, std::string what) const {
  return {file_, at, std::move(what), result_.last_sequence.value_or(0),
          result_.last_sequence.has_value()};
}

void WalWalk::report(std::size_t at, std::string what) {
  result_.only_last_record = false;
  after_damage_ = true;
  if (++findings_here_ > kMostFindingsPerLog) return;
  result_.damage.push_back(finding(at, std::move(what)));
}

void WalWalk::report_torn(std::size_t at) {
  result_.torn_tail = finding(
      record_at_.value_or(at),
      "the log ends inside a record: it was being written at a crash and was never acknowledged");
}

void WalWalk::cannot_read(std::uint64_t offset, const std::string& why) {
  report(offset, "cannot be read from here: " + why);
}

void WalWalk::take_sequence(std::uint64_t sequence, std::size_t at) {
  if (next_ && sequence > *next_) {
    const std::string gone = sequence == *next_ + 1
                                 ? "event " + std::to_string(*next_) + " is gone"
                                 : "events " + std::to_string(*next_) + " to " +
                                       std::to_string(sequence - 1) + " are gone";
    if (after_damage_ && !result_.damage.empty()) {
      result_.damage.back().what += "; " + gone;
    } else {
      report(at, gone + ": the log goes on here without them");
    }
  }
  after_damage_ = false;
  next_ = sequence + 1;
  result_.last_sequence = std::max(result_.last_sequence.value_or(0), sequence);
}

void WalWalk::take_record(std::string_view record, std::size_t at) {
  EventSequences sequences(family_);
  const rocksdb::WriteBatch batch{std::string(record)};
  const rocksdb::Status decoded = batch.Iterate(&sequences);
  if (!decoded.ok()) {
    report(at, "a record whose checksum matches is no batch of writes: " + decoded.ToString());
    return;
  }
  for (const std::uint64_t sequence : sequences.found()) take_sequence(sequence, at);
}

std::size_t WalWalk::take(std::string_view log, const Fragment& fragment, std::size_t at) {
  if (zeros_at_) {
    const std::size_t zeros_at = *std::exchange(zeros_at_, std::nullopt);
    return resume(log, zeros_at, at, "zeros stand where it stood");
  }
  if (begins_record(fragment)) {
    if (record_at_) report(*record_at_, "damaged record: its last part is missing");
    pieces_.clear();
    record_at_ = at;
  } else if (!record_at_) {
    return resume(log, at, fragment.end, "its first part is missing");
  }
  pieces_ += fragment.payload;
  if (fragment.type == FragmentType::kFull || fragment.type == FragmentType::kLast) {
    take_record(pieces_, *std::exchange(record_at_, std::nullopt));
  }
  return fragment.end;
}

// Whether nothing but further parts of the record that was begun stands from `at` on.
bool WalWalk::is_rest_of_record(std::string_view log, std::size_t at) const {
  while (at < log.size()) {
    const Fragment fragment = read_fragment(log, at, number_);
    const bool is_part = fragment.kind == FragmentKind::kGood && !begins_record(fragment);
    if (!is_part && fragment.kind != FragmentKind::kZeros) return false;
    at = fragment.end;
  }
  return at == log.size();
}

// `end` is where the damaged part at `at` says that it ends.
std::size_t WalWalk::resume(std::string_view log, std::size_t at, std::size_t end,
                            const std::string& what) {
  const std::size_t record_at = std::exchange(record_at_, std::nullopt).value_or(at);
  pieces_.clear();
  const std::optional<std::size_t> next = find_record(log, at + 1, number_);
  const bool is_last =
      !next && (is_rest_of_record(log, end) ||
                is_rest_of_record(log, end_under_another_header(log, at).value_or(log.size() + 1)));
  const bool is_first_damage = result_.damage.empty();
  const std::string part =
      record_at == at ? "" : " (its part at offset " + std::to_string(at) + ")";
  report(record_at, "damaged record" + part + ": " + what +
                        (next      ? "; whole records follow at offset " + std::to_string(*next)
                         : is_last ? "; it is the log's last record"
                                   : "; no whole record follows"));
  result_.only_last_record = is_first_damage && is_last;
  return next.value_or(log.size());
}

std::size_t WalWalk::judge_cut(std::string_view log, std::size_t at) {
  if (end_under_another_header(log, at) || find_record(log, at + 1, number_)) {
    return resume(log, at, log.size() + 1,
                  "its header leaves the file, yet the file was not torn there");
  }
  report_torn(at);
  record_at_.reset();
  return log.size();
}

void WalWalk::walk(std::string file, std::uint64_t number, std::string_view log) {
  file_ = std::move(file);
  number_ = number;
  findings_here_ = 0;
  pieces_.clear();
  record_at_.reset();
  zeros_at_.reset();
  result_.torn_tail.reset();
  if (!log.empty()) result_.only_last_record = false;
  for (std::size_t at = 0; at < log.size();) {
    const Fragment fragment = read_fragment(log, at, number_);
    switch (fragment.kind) {
      case FragmentKind::kGood:
        at = take(log, fragment, at);
        break;
      case FragmentKind::kZeros:
        // Fewer may be the filler of a recycled log, whose header is longer.
        if (!zeros_at_ && fragment.end - at >= kWalRecyclableHeaderBytes) zeros_at_ = at;
        at = fragment.end;
        break;
      case FragmentKind::kOld:
        return;
      case FragmentKind::kCut:
        at = judge_cut(log, at);
        break;
      case FragmentKind::kBad:
        at = resume(log, at, fragment.end, fragment.why);
        break;
    }
  }
  if (record_at_) report_torn(*record_at_);
}

}  // namespace muniment
