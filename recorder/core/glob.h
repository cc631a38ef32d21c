// The pattern language of exclusions.
#ifndef MUNIMENT_RECORDER_CORE_GLOB_H_
#define MUNIMENT_RECORDER_CORE_GLOB_H_

#include <string_view>

namespace muniment {

// Whether an absolute path matches a pattern, as a whole and byte by byte.
//   *   any run of bytes without '/'        ?   one byte that is not '/'
//   **  as a whole component: any number of components, none included (`/a/**` matches `/a` itself,
//       and all below); inside a component it is `*`
//   [abc] [a-z] [!x]  one byte of a set, never '/'       \x  the byte x
// A pattern that matches a folder does not by itself match what is below it: callers that walk a
// tree prune the folder. Time is bounded by pattern length × path length.
bool glob_match(std::string_view pattern, std::string_view path);

// "" when the pattern is well formed (absolute, closed brackets, no trailing backslash, no empty,
// "." or ".." component), else what is wrong with it.
std::string_view glob_error(std::string_view pattern);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_GLOB_H_
