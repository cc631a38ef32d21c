// Class redis: the server's own RDB file, as it gives it to a replica.
#include "recorder/core/backup_class.h"
#include "recorder/core/container_match.h"

namespace muniment {
namespace {

std::optional<Refusal> refuse_inside(const Module& /*module*/, const ContainerSight& sight) {
  return refuse_to_run(sight.container);
}

// The password reaches redis-cli by REDISCLI_AUTH.
void describe(const Target& target, v1::Step& step) {
  v1::RedisCapture& capture = *step.mutable_redis();
  using Kind = AuthWord::Kind;
  add_credentials(target.auth.user, {}, *capture.mutable_user());
  add_credentials(target.auth.password, {{Kind::kTrust, ""}, {Kind::kEnv, "REDIS_PASSWORD"}},
                  *capture.mutable_password());
  step.add_argv("redis-cli --no-auth-warning --rdb -");
}

}  // namespace

const BackupClassRules kRedisRules = {
    .id = v1::BACKUP_CLASS_REDIS,
    .extension = ".rdb",
    .refuse = nullptr,
    .recognise = nullptr,
    .describe = describe,
    .expected_bytes = nullptr,
    .refuse_inside = refuse_inside,
};

}  // namespace muniment
