#include "replay/erasure.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "replay/query.h"

namespace muniment {
namespace {

constexpr std::size_t kShownNameBytes = 80;

std::vector<BlobRef> erasable_fields(const v1::Event& event) {
  std::vector<BlobRef> fields = blobs_named_by(event);
  std::erase_if(fields, [](const BlobRef& field) {
    return !field.erasable || field.sha256.size() != Digest().size();
  });
  return fields;
}

// Returns false to stop.
using ErasureVisitor = std::function<bool(const StoredEvent&)>;

Status read_erasures(const LogReader& log, const ErasureVisitor& visit) {
  return read_indexed(log, IndexTag::kByType, type_value(v1::Event::kErased), 0,
                      Direction::kForward, visit);
}

// By commitment.
using Erasures = std::map<std::string, std::uint64_t>;

Erasures all_erasures(const LogReader& log) {
  Erasures out;
  const Status read = read_erasures(log, [&](const StoredEvent& stored) {
    out.emplace(stored.event.erased().commitment(), stored.sequence);
    return true;
  });
  // A text is gone whether or not it can be said by which event.
  return read ? out : Erasures();
}

}  // namespace

Result<BlobRef> find_erasable(const StoredEvent& stored, std::string_view name) {
  const std::vector<BlobRef> fields = erasable_fields(stored.event);
  const std::string body = body_name(stored.event);
  const std::string end = "." + std::string(name);
  std::vector<BlobRef> meant;
  std::string known;
  for (const BlobRef& field : fields) {
    known += (known.empty() ? "" : ", ") + field.field;
    if (field.field == name) return field;
    if (field.field.ends_with(end)) meant.push_back(field);
  }
  if (meant.size() > 1) {
    std::erase_if(meant, [&](const BlobRef& it) { return !it.field.starts_with(body + "."); });
  }
  if (meant.size() == 1) return std::move(meant.front());
  return fail(ErrorCode::kInvalid,
              "event #" + std::to_string(stored.sequence) + " (" + body + ") has no one text `" +
                  inert_short(name, kShownNameBytes) + "`" +
                  (known.empty() ? "; nothing in it can be erased" : "; it has: " + known));
}

Result<std::optional<StoredEvent>> find_erasure(const LogReader& log, std::string_view commitment) {
  std::optional<StoredEvent> found;
  Status read = read_erasures(log, [&](const StoredEvent& stored) {
    if (stored.event.erased().commitment() == commitment) found = stored;
    return !found;
  });
  if (!read) return pass(read);
  return found;
}

Result<std::uint64_t> count_carriers(const LogReader& log, std::string_view commitment) {
  std::uint64_t count = 0;
  const auto carries = [&](std::string_view bytes) {
    if (bytes.find(commitment) == std::string_view::npos) return false;
    v1::Event event;
    if (!event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
    const std::vector<BlobRef> fields = erasable_fields(event);
    return std::ranges::any_of(fields, [&](const auto& it) { return it.sha256 == commitment; });
  };
  Status scanned =
      log.scan(Table::kEvent, "", Direction::kForward, [&](auto, std::string_view bytes) {
        if (carries(bytes)) ++count;
        return true;
      });
  if (!scanned) return pass(scanned);
  return count;
}

Resolver resolver_of(const LogReader& log) {
  const auto erasures = std::make_shared<std::optional<Erasures>>();
  return {[&log](const v1::Erasable& field) -> std::optional<std::string> {
            Result<std::optional<std::string>> text = read_erasable(log, field);
            return text ? *text : std::nullopt;
          },
          [&log, erasures](const v1::Erasable& field) -> std::optional<std::uint64_t> {
            if (!*erasures) *erasures = all_erasures(log);
            const auto found = (*erasures)->find(field.commitment());
            if (found == (*erasures)->end()) return std::nullopt;
            return found->second;
          }};
}

}  // namespace muniment
