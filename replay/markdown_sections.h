// Parts that the Markdown report and the context pack have in common. Each is Markdown that ends
// with a newline, or empty where the evidence says nothing of it.
#ifndef MUNIMENT_REPLAY_MARKDOWN_SECTIONS_H_
#define MUNIMENT_REPLAY_MARKDOWN_SECTIONS_H_

#include <string>

#include "muniment/v1/report.pb.h"
#include "replay/json.h"

namespace muniment::markdown {

using Sequences = google::protobuf::RepeatedField<std::uint64_t>;
using Texts = google::protobuf::RepeatedPtrField<std::string>;
using Statements = google::protobuf::RepeatedPtrField<v1::Statement>;

// The contract's word for an enum value.
template <class Enum>
std::string word(Enum value) {
  const auto* found = google::protobuf::GetEnumDescriptor<Enum>()->FindValueByNumber(value);
  return found == nullptr ? "unknown" : enum_word(*found);
}

// A heading and its section; nothing where the section is empty.
std::string section(const std::string& title, const std::string& body);

// "- **name** value"; nothing where the value is empty. The value is Markdown.
std::string field(const std::string& name, const std::string& value);

// The verdict, in bold.
std::string status_line(const v1::Evidence& evidence);

// "`#12` `#13`": the events that prove something.
std::string proof(const Sequences& sequences);

// "[erased by `#12`]", "[erased]".
std::string words_for_gone(const v1::Erasable& field, const Resolver& resolve);

// An erasable text as a code span, or the words for one that is gone; "-" where there was none.
std::string erasable(const v1::Erasable& field, const Resolver& resolve);

std::string actor(const v1::Actor& actor, const Resolver& resolve);
std::string release(const v1::ReleaseRoot& root);

std::string statements(const Statements& list);
std::string runtime(const v1::Evidence& evidence);
std::string blockers(const v1::Evidence& evidence);
// The plan's digest, the verdict on each gate with its conditions, the approvals.
std::string gates(const v1::Evidence& evidence, const Resolver& resolve);
std::string artifacts(const v1::Evidence& evidence);
std::string resolution(const v1::Evidence& evidence);
std::string notes(const v1::Evidence& evidence, const Resolver& resolve);
std::string integrity(const v1::Integrity& integrity);
// Prose of the manifest, one item each.
std::string items(const Texts& list);

}  // namespace muniment::markdown

#endif  // MUNIMENT_REPLAY_MARKDOWN_SECTIONS_H_
