#include <cstdlib>

#include "cli/app.h"
#include "recorder/core/text.h"
#include "recorder/world/host_source.h"

extern char** environ;

namespace muniment {
namespace {

struct Claim {
  v1::ActorKind kind;
  bool needs_name;
};

// "operator:anna", "agent:codex", "ci", "timer"; ci and timer may have a name too.
Result<v1::ActorKind> parse_claim(const std::string& claim) {
  const std::size_t colon = claim.find(':');
  const std::string kind = claim.substr(0, colon);
  const bool named = colon != std::string::npos && colon + 1 < claim.size();
  v1::ActorKind found = v1::ACTOR_KIND_UNSPECIFIED;
  if (kind == "operator") found = v1::ACTOR_KIND_OPERATOR;
  if (kind == "agent") found = v1::ACTOR_KIND_AGENT;
  if (kind == "ci") found = v1::ACTOR_KIND_CI;
  if (kind == "timer") found = v1::ACTOR_KIND_TIMER;
  const bool needs_name = found == v1::ACTOR_KIND_OPERATOR || found == v1::ACTOR_KIND_AGENT;
  if (found != v1::ACTOR_KIND_UNSPECIFIED &&
      (named || (!needs_name && colon == std::string::npos)) && claim.size() <= 256) {
    return found;
  }
  return fail(ErrorCode::kInvalid,
              "`" + inert_short(claim, 80) +
                  "` is no actor; expected operator:NAME, agent:NAME, ci or timer");
}

}  // namespace

Result<v1::Actor> make_actor(const Globals& globals, const Redactor& secrets,
                             std::vector<std::string>& blobs) {
  v1::Actor actor = observe_actor();
  const std::string user = observe_user_name();
  std::string claim = globals.actor;
  if (claim.empty()) claim = environment("MUNIMENT_ACTOR").value_or("");
  if (claim.empty()) claim = "operator:" + environment("USER").value_or(user);
  Result<v1::ActorKind> kind = parse_claim(claim);
  if (!kind) return pass(kind);
  actor.set_kind(*kind);
  const auto keep = [&](const std::string& text, v1::Erasable& field) {
    if (text.empty()) return;
    Hidden hidden = hide(text);
    field = hidden.field;
    blobs.push_back(std::move(hidden.blob));
  };
  keep(secrets.redact(claim), *actor.mutable_claimed());
  keep(user, *actor.mutable_user_name());
  keep(environment("SSH_CONNECTION").value_or(""), *actor.mutable_ssh_connection());
  return actor;
}

Result<Envelope> make_envelope(const Globals& globals, const Redactor& secrets,
                               const std::string& host_name, const std::string& origin,
                               v1::Mode mode, Clock& clock, std::vector<std::string>& blobs) {
  Result<v1::Actor> actor = make_actor(globals, secrets, blobs);
  if (!actor) return pass(actor);
  Envelope envelope;
  envelope.run_id = make_uuid7(clock.now().wall_ns);
  envelope.mode = mode;
  envelope.actor = std::move(*actor);
  envelope.host.set_name(valid_utf8(host_name));
  envelope.host.set_origin(valid_utf8(origin));
  return envelope;
}

std::vector<std::string> whole_environment() {
  std::vector<std::string> out;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    out.emplace_back(*variable);
  }
  return out;
}

}  // namespace muniment
