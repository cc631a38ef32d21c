// A look at JSON before it is parsed.
#ifndef MUNIMENT_RECORDER_CORE_JSON_DEPTH_H_
#define MUNIMENT_RECORDER_CORE_JSON_DEPTH_H_

#include <cstddef>
#include <string_view>

namespace muniment {

// Whether brackets outside of text open deeper than `most` levels. Each level costs a parser's
// memory many times its byte, so that a text within the limit of size could take all there is.
// What is no JSON may be told either way: the parser refuses it.
bool is_nested_deeper(std::string_view json, std::size_t most);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_JSON_DEPTH_H_
