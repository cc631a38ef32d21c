// Columns of text.
#ifndef MUNIMENT_REPLAY_TEXT_TABLE_H_
#define MUNIMENT_REPLAY_TEXT_TABLE_H_

#include <string>
#include <vector>

namespace muniment {

// Rows with columns padded to the widest cell (in code points), two spaces between, none at the end
// of a line; each line starts with `indent` spaces. The first row is a heading.
std::string text_table(const std::vector<std::vector<std::string>>& rows, std::size_t indent);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_TEXT_TABLE_H_
