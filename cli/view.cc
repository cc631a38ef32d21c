#include "cli/view.h"

#include <cstdio>

namespace muniment {

bool print(std::string_view text) {
  const bool whole = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  return std::fflush(stdout) == 0 && whole;
}

}  // namespace muniment
