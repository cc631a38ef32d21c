// Standard output: the only file that writes to it.
#ifndef MUNIMENT_CLI_VIEW_H_
#define MUNIMENT_CLI_VIEW_H_

#include <string_view>

namespace muniment {

// Writes all of it. False when standard output takes no more (a closed pipe, a full disk).
bool print(std::string_view text);

}  // namespace muniment

#endif  // MUNIMENT_CLI_VIEW_H_
