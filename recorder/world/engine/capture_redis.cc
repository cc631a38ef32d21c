#include <algorithm>

#include "recorder/core/text.h"
#include "recorder/world/engine/capture_inside.h"
#include "recorder/world/engine/credentials.h"
#include "recorder/world/engine/rdb_stream.h"

namespace muniment {
namespace {

struct WayIn {
  std::vector<std::string> argv;
  Variables environment;
};

// By what the server says: redis-cli ends with code 0 where it was let in by nothing.
Result<WayIn> find_way_in(const InsideTarget& target, ContainerCommands& commands) {
  const v1::RedisCapture& capture = target.step.redis();
  const Result<Logins> logins =
      find_logins(commands, capture.user(), capture.password(), target.secrets_folder);
  if (!logins) return std::unexpected(logins.error());
  std::string said;
  for (const FoundCredential& found : logins->passwords) {
    WayIn way{.argv = {"redis-cli", "--no-auth-warning"}, .environment = {}};
    if (!logins->user.empty()) way.argv.insert(way.argv.end(), {"--user", logins->user});
    if (found.password) way.environment.emplace_back("REDISCLI_AUTH", *found.password);
    std::vector<std::string> ping = way.argv;
    ping.emplace_back("PING");
    Result<std::string> answer = commands.ask(ping, way.environment);
    if (!answer) return pass(answer);
    // NOPERM: let in, and not allowed to ping.
    if (answer->starts_with("PONG") || answer->starts_with("NOPERM")) return way;
    const std::string text = *answer + commands.raw_error();
    said = found.word + ": " + inert_short(text.substr(0, text.find('\n')), 200);
  }
  return fail(ErrorCode::kIo, "the server lets nobody in by the credentials of `auth` (" +
                                  commands.secrets().redact(said) + "); correct `auth`");
}

}  // namespace

Result<std::vector<Captured>> capture_redis(const InsideTarget& target,
                                            ContainerCommands& commands) {
  Result<WayIn> way = find_way_in(target, commands);
  if (!way) return pass(way);
  const Compression compression = *parse_compression(target.step.compression());
  auto writer = ArtifactWriter::create(target.folder, target.step.artifact(), compression);
  if (!writer) return pass(writer);
  RdbStream rdb([&](std::string_view piece) { return (*writer)->write(piece); });
  Command command{way->argv, way->environment, {}};
  command.argv.insert(command.argv.end(), {"--rdb", "-"});
  command.out = [&](std::string_view piece) -> Status {
    commands.progress().advance(piece.size());
    return rdb.write(piece);
  };
  if (Status ran = commands.run(command); !ran) return pass(ran);
  const std::optional<std::uint64_t> size = rdb_size_said(commands.raw_error());
  if (!size) {
    return fail(ErrorCode::kIo,
                "redis-cli did not say how long the RDB is, so that nothing proves it whole");
  }
  if (Status whole = rdb.finish(*size); !whole) return pass(whole);
  Result<StoredFile> stored = (*writer)->finish();
  if (!stored) return pass(stored);
  Captured out{
      target.step.artifact(), target.step.compression(), target.step.backup_class(), {}, false};
  out.capture.file = *stored;
  out.capture.entries = 1;
  out.capture.check = rdb.has_checksum() ? "size, end mark and CRC-64 of the RDB"
                                         : "size and end mark of the RDB (it has no checksum)";
  return std::vector<Captured>{std::move(out)};
}

}  // namespace muniment
