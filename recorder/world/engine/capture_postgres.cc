#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "recorder/world/engine/capture_inside.h"
#include "recorder/world/engine/credentials.h"
#include "recorder/world/os.h"

namespace muniment {
namespace {

constexpr std::string_view kMagic = "PGDMP";
constexpr std::string_view kClusterEnd = "PostgreSQL database cluster dump complete";
constexpr std::size_t kTrailerBytes = 512;
constexpr std::size_t kMostNameBytes = 200;

// In the environment, not in argv: a name may look like an option or a connection string.
Variables with_database(Variables environment, const std::string& database) {
  std::erase_if(environment, [](const auto& one) { return one.first == "PGDATABASE"; });
  environment.emplace_back("PGDATABASE", database);
  return environment;
}

// The first way in that the server accepts, and the database that it was tried with.
struct WayIn {
  Variables environment;
  std::string word;
};

bool is_missing_database(const std::string& said) {
  return said.contains("does not exist") && said.contains("database");
}

Result<WayIn> find_way_in(const InsideTarget& target, ContainerCommands& commands) {
  const v1::PostgresCapture& capture = target.step.postgres();
  const Result<Logins> logins =
      find_logins(commands, capture.user(), capture.password(), target.secrets_folder);
  if (!logins) return std::unexpected(logins.error());
  std::optional<Error> refused;
  for (const FoundCredential& found : logins->passwords) {
    for (const char* database : {"postgres", "template1"}) {
      WayIn way{.environment = {{"PGUSER", logins->user}, {"PGCONNECT_TIMEOUT", "15"}},
                .word = found.word};
      if (found.password) way.environment.emplace_back("PGPASSWORD", *found.password);
      way.environment.emplace_back("PGDATABASE", database);
      const Result<std::string> said =
          commands.ask({"psql", "-XAtq", "--no-password", "--command=SELECT 1"}, way.environment);
      if (said && *said == "1\n") return way;
      if (said) return fail(ErrorCode::kIo, "psql answered otherwise than SELECT 1 was asked");
      if (said.error().code != ErrorCode::kIo || !commands.trouble().exit_status ||
          *commands.trouble().exit_status != 2) {
        return std::unexpected(said.error());
      }
      refused = said.error();
      if (!is_missing_database(commands.raw_error())) break;
    }
  }
  return fail(ErrorCode::kIo, "the server lets user " + inert_short(logins->user, 80) +
                                  " in by none of the credentials of `auth`: " + refused->message +
                                  "; correct `auth`");
}

Result<std::vector<std::string>> list_databases(ContainerCommands& commands,
                                                const Variables& environment) {
  const Result<std::string> answer =
      commands.ask({"psql", "-XAtq0", "--no-password",
                    "--command=SELECT datname FROM pg_database WHERE datallowconn AND NOT "
                    "datistemplate ORDER BY datname"},
                   environment);
  if (!answer) return std::unexpected(answer.error());
  std::vector<std::string> out;
  std::string_view rest = *answer;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\0'), rest.size());
    if (end > 0) out.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  std::sort(out.begin(), out.end());
  return out;
}

// Those that the manifest names, each of them there; else all.
Result<std::vector<std::string>> choose_databases(const v1::PostgresCapture& capture,
                                                  std::vector<std::string> there) {
  if (there.empty())
    return fail(ErrorCode::kIo, "the server has no database that takes connections");
  if (capture.databases().empty()) return there;
  std::vector<std::string> out(capture.databases().begin(), capture.databases().end());
  for (const std::string& name : out) {
    if (std::find(there.begin(), there.end(), name) != there.end()) continue;
    std::string list;
    for (const std::string& one : there) list += (list.empty() ? "" : ", ") + inert_short(one, 80);
    return fail(ErrorCode::kIo, "the server has no database " + inert_short(name, 80) +
                                    "; it has " + list + "; correct `databases`");
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

// Standard output of a command into one artifact. Keeps the first and the last bytes.
struct Output {
  std::string head;
  std::string tail;
};

Result<Captured> store_output(const InsideTarget& target, const std::string& name,
                              ContainerCommands& commands, std::vector<std::string> argv,
                              Variables environment, Output& seen) {
  auto writer = ArtifactWriter::create(target.folder, name, Compression{});
  if (!writer) return pass(writer);
  Command command{std::move(argv), std::move(environment), {}};
  command.out = [&](std::string_view piece) -> Status {
    const std::size_t room = kMagic.size() - std::min(kMagic.size(), seen.head.size());
    seen.head.append(piece.substr(0, room));
    seen.tail.append(piece.size() > kTrailerBytes ? piece.substr(piece.size() - kTrailerBytes)
                                                  : piece);
    if (seen.tail.size() > kTrailerBytes) seen.tail.erase(0, seen.tail.size() - kTrailerBytes);
    if (Status written = (*writer)->write(piece); !written) return written;
    commands.progress().advance(piece.size());
    return {};
  };
  if (Status ran = commands.run(command); !ran) return pass(ran);
  Result<StoredFile> stored = (*writer)->finish();
  if (!stored) return pass(stored);
  Captured out{name, "none", target.step.backup_class(), {}, false};
  out.capture.file = *stored;
  out.capture.entries = 1;
  return out;
}

Result<Captured> dump_globals(const InsideTarget& target, ContainerCommands& commands,
                              const Variables& environment) {
  Output seen;
  Result<Captured> out =
      store_output(target, target.step.module() + ".globals.sql", commands,
                   {"pg_dumpall", "--globals-only", "--no-password"}, environment, seen);
  if (!out) {
    if (commands.raw_error().contains("permission denied")) {
      out.error().message += "; the user is no superuser: set globals = false";
    }
    return out;
  }
  if (!seen.tail.contains(kClusterEnd)) {
    return fail(ErrorCode::kIo,
                "the roles end without the line that says they are complete; run again");
  }
  out->capture.check = "closing line";
  return out;
}

Result<Captured> dump_database(const InsideTarget& target, ContainerCommands& commands,
                               const Variables& environment, const std::string& database) {
  Output seen;
  Result<Captured> out = store_output(target, dump_name(target.step.module(), database), commands,
                                      {"pg_dump", "--format=custom", "--no-password"},
                                      with_database(environment, database), seen);
  if (!out) {
    out.error().message = "database " + inert_short(database, 80) + ": " + out.error().message;
    return out;
  }
  if (seen.head != kMagic) {
    return fail(ErrorCode::kIo, "database " + inert_short(database, 80) +
                                    ": what pg_dump wrote does not begin as a dump; run again");
  }
  out->capture.check = "begins as a dump; read in full by pg_restore when it is verified";
  return out;
}

}  // namespace

std::string dump_name(const std::string& module, const std::string& database) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string name;
  for (const char c : database) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-';
    const auto byte = static_cast<unsigned char>(c);
    if (plain) {
      name += c;
    } else {
      name += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
    }
  }
  const std::size_t room = kMostNameBytes - module.size() - 6;
  if (name.size() > room) {
    name = name.substr(0, room - 17) + "-" + to_hex(sha256(database)).substr(0, 16);
  }
  return module + "." + name + ".dump";
}

Result<std::vector<Captured>> capture_postgres(const InsideTarget& target,
                                               ContainerCommands& commands) {
  Result<WayIn> way = find_way_in(target, commands);
  if (!way) return pass(way);
  Result<std::vector<std::string>> there = list_databases(commands, way->environment);
  if (!there) return pass(there);
  const Result<std::vector<std::string>> databases =
      choose_databases(target.step.postgres(), std::move(*there));
  if (!databases) return std::unexpected(databases.error());
  std::vector<Captured> out;
  if (target.step.postgres().globals()) {
    Result<Captured> globals = dump_globals(target, commands, way->environment);
    if (!globals) return pass(globals);
    out.push_back(std::move(*globals));
  }
  for (const std::string& database : *databases) {
    Result<Captured> dump = dump_database(target, commands, way->environment, database);
    if (!dump) return pass(dump);
    out.push_back(std::move(*dump));
  }
  return out;
}

Status check_dump(int fd, const std::string& name, ContainerCommands& commands) {
  if (::lseek(fd, 0, SEEK_SET) != 0) return system_failure("seek in", name, errno);
  Command command{{"pg_restore", "--file=/dev/null"}, {}, {}, {}};
  command.out = [](std::string_view) -> Status { return {}; };
  command.in = [&](char* room, std::size_t size) -> Result<std::size_t> {
    const std::int64_t n = read_full(fd, {room, size});
    if (n < 0) return system_failure("read", name, errno);
    commands.progress().advance(static_cast<std::uint64_t>(n));
    return static_cast<std::size_t>(n);
  };
  return commands.run(command);
}

}  // namespace muniment
