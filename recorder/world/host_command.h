// A command on this host: found once, bound to the content of its files, run from what was checked.
//
// What is bound: the program's file, and each argument that names a regular file which can be read.
// They are opened and hashed when the run is planned, and again directly before the start; the
// program is then executed from the descriptor that was hashed, a script from a sealed copy of it,
// so that replacing or editing either changes nothing any more. The files of arguments stay as
// given, by path: whoever may write them can still change them between the last look (device,
// inode, size, mtime and ctime, right before the start) and the moment the program opens them.
// Not bound at all: the interpreter of a script, libraries, what the program reads by itself, the
// values of its variables.
//
// A script sees `/dev/fd/N` as its own name: the kernel hands an interpreter a path, and the only
// one that leads to what was checked is the descriptor's.
#ifndef MUNIMENT_RECORDER_WORLD_HOST_COMMAND_H_
#define MUNIMENT_RECORDER_WORLD_HOST_COMMAND_H_

#include <sys/stat.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "muniment/v1/plan.pb.h"
#include "recorder/core/digest.h"
#include "recorder/core/redact.h"
#include "recorder/core/result.h"
#include "recorder/world/os.h"

namespace muniment {

// As it was given: it may hold secrets and is never recorded.
struct CommandLine {
  std::vector<std::string> argv;         // at least one word
  std::string program;                   // absolute: find_program() of argv[0]
  std::string working_folder;            // absolute and plain
  std::vector<std::string> environment;  // "NAME=value": all that it gets
  std::chrono::seconds timeout{600};
};

// Where a program lies: a word with a slash as it stands, seen from the working folder; any other
// in the folders of `path` (the format of PATH; empty folders and relative ones are passed over).
// kInvalid: it is nowhere, or cannot be executed.
Result<std::string> find_program(const std::string& word, const std::string& path,
                                 const std::string& working_folder);

// HOME, LANG, PATH, TZ and USER, whether `lookup` knows them or not, and `words`: NAME, whose value
// `lookup` has, or NAME=VALUE, whose value `secrets` learns. In order of name.
// kInvalid: no name, one that comes twice, or has no value.
using Lookup = std::function<std::optional<std::string>(const char* name)>;
Result<std::vector<std::string>> make_environment(const std::vector<std::string>& words,
                                                  const Lookup& lookup, Redactor& secrets);

// A file that a command is bound to, open and hashed.
struct CommandFile {
  std::uint32_t argument = 0;
  std::string path;  // absolute
  Fd fd;
  struct stat seen{};
  Digest sha256{};
};

// The program, then the arguments' files. kInvalid: the program cannot be read. kInterrupted.
Result<std::vector<CommandFile>> hold_files(const CommandLine& line,
                                            const std::function<bool()>& stop);

// That the files are those of the plan, neither more nor less, and that each is still what was
// hashed and lies at its path. kRefused: what was expected and what is there.
Status check_held(const std::vector<CommandFile>& files, const v1::HostCommand& planned);

// The command as it is recorded: arguments redacted, files as they are now. Only reads.
// kInvalid: a file cannot be bound, the folder is none, or it is too long to be recorded.
Result<v1::HostCommand> observe_command(const CommandLine& line, const Redactor& redactor,
                                        const std::function<bool()>& stop);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_HOST_COMMAND_H_
