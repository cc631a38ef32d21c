// The manifest's tables, one reader for each; manifest.cc puts them together.
#ifndef MUNIMENT_RECORDER_CORE_MANIFEST_PARTS_H_
#define MUNIMENT_RECORDER_CORE_MANIFEST_PARTS_H_

#include "recorder/core/manifest.h"
#include "recorder/core/manifest_reader.h"

namespace muniment {

// [[module]] with its members. Words that do not go with its class are reported; references to
// other tables are not followed yet.
Module read_module(TableReader reader);

// [[exclude]].
Exclude read_exclude(TableReader reader);

// [gate.NAME].
Gate read_gate(TableReader reader, const std::string& name);

// Names that a file can have and nobody misreads: letters, digits, `.`, `_`, `-`, no dash or dot
// first, at most `most` bytes. With `lower`, no capital letters.
bool is_plain_name(std::string_view name, std::size_t most, bool lower);

// Reads `key` of a table as such a name; "" when it is absent or wrong, which is reported.
std::string read_name(TableReader& reader, std::string_view key, std::string_view example,
                      bool lower);

// What is wrong with an exclusion pattern, with what to do; "" when nothing is.
std::string pattern_fault(const std::string& pattern);

// What holds between tables: names are unique, references lead somewhere, folders do not overlap.
void check_references(const Manifest& manifest, Problems& problems);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_MANIFEST_PARTS_H_
