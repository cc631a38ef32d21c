// Class postgres: each database by pg_dump in the container, roles by pg_dumpall.
#include "recorder/core/backup_class.h"
#include "recorder/core/container_match.h"

namespace muniment {
namespace {

std::optional<Refusal> refuse_inside(const Module& /*module*/, const ContainerSight& sight) {
  return refuse_to_run(sight.container);
}

// The names of databases reach the programs by PGDATABASE, the password by PGPASSWORD.
void describe(const Target& target, v1::Step& step) {
  v1::PostgresCapture& capture = *step.mutable_postgres();
  for (const std::string& name : target.databases) capture.add_databases(name);
  capture.set_globals(target.globals);
  using Kind = AuthWord::Kind;
  add_credentials(target.auth.user, {{Kind::kEnv, "POSTGRES_USER"}, {Kind::kLiteral, "postgres"}},
                  *capture.mutable_user());
  add_credentials(target.auth.password,
                  {{Kind::kTrust, ""},
                   {Kind::kEnv, "POSTGRES_PASSWORD"},
                   {Kind::kFileEnv, "POSTGRES_PASSWORD_FILE"}},
                  *capture.mutable_password());
  step.add_argv("pg_dump --format=custom --no-password");
  if (target.globals) step.add_argv("pg_dumpall --globals-only --no-password");
  step.add_argv("pg_restore --file=/dev/null");
}

}  // namespace

const BackupClassRules kPostgresRules = {
    .id = v1::BACKUP_CLASS_POSTGRES,
    .extension = ".*.dump",
    .refuse = nullptr,
    .recognise = nullptr,
    .describe = describe,
    .expected_bytes = nullptr,
    .self_compressed = true,
    .refuse_inside = refuse_inside,
};

}  // namespace muniment
