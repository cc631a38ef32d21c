// A message as a table of values, so that two of them can be compared place by place.
#ifndef MUNIMENT_TESTS_SUPPORT_EVENT_VALUES_H_
#define MUNIMENT_TESTS_SUPPORT_EVENT_VALUES_H_

#include <google/protobuf/message.h>

#include <map>
#include <string>

namespace muniment {

// Path ("plan_step_proposed.step.files.paths[1]") -> value as text. Entries of a map stand in the
// order of their keys. A field that the schema does not know has its number for a name: "#1999".
using Values = std::map<std::string, std::string>;
Values values_of(const google::protobuf::Message& message);

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_EVENT_VALUES_H_
