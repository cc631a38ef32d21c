#include "recorder/core/detect.h"

#include <algorithm>
#include <array>

#include "recorder/core/text.h"

namespace muniment {
namespace {

struct Sign {
  std::string_view text;
  v1::BackupClass backup_class;
};

constexpr auto kPostgres = v1::BACKUP_CLASS_POSTGRES;
constexpr auto kMariadb = v1::BACKUP_CLASS_MARIADB;
constexpr auto kRedis = v1::BACKUP_CLASS_REDIS;

constexpr std::array kImages = {
    Sign{"postgres", kPostgres},
    Sign{"postgresql", kPostgres},
    Sign{"pgvector", kPostgres},
    Sign{"pgvecto-rs", kPostgres},
    Sign{"timescaledb", kPostgres},
    Sign{"timescaledb-ha", kPostgres},
    Sign{"postgis", kPostgres},
    Sign{"postgresql-repmgr", kPostgres},
    Sign{"mariadb", kMariadb},
    Sign{"mariadb-galera", kMariadb},
    Sign{"redis", kRedis},
    Sign{"redis-stack", kRedis},
    Sign{"redis-stack-server", kRedis},
    Sign{"valkey", kRedis},
    Sign{"keydb", kRedis},
};

constexpr std::array kVariables = {
    Sign{"PGDATA", kPostgres},
    Sign{"POSTGRES_INITDB_ARGS", kPostgres},
    Sign{"POSTGRES_INITDB_WALDIR", kPostgres},
    Sign{"POSTGRES_HOST_AUTH_METHOD", kPostgres},
    Sign{"MARIADB_VERSION", kMariadb},
    Sign{"MARIADB_ROOT_PASSWORD", kMariadb},
    Sign{"MARIADB_ROOT_PASSWORD_HASH", kMariadb},
    Sign{"REDIS_VERSION", kRedis},
    Sign{"VALKEY_VERSION", kRedis},
};

constexpr std::array kMounts = {
    Sign{"/var/lib/postgresql/data", kPostgres}, Sign{"/var/lib/postgresql", kPostgres},
    Sign{"/bitnami/postgresql", kPostgres},      Sign{"/var/lib/mysql", kMariadb},
    Sign{"/bitnami/mariadb", kMariadb},          Sign{"/bitnami/redis/data", kRedis},
    Sign{"/bitnami/valkey/data", kRedis},
};

template <class Signs>
const Sign* find_sign(const Signs& signs, std::string_view text) {
  const auto found =
      std::find_if(signs.begin(), signs.end(), [&](const Sign& sign) { return sign.text == text; });
  return found == signs.end() ? nullptr : &*found;
}

void add_label(const v1::ContainerObserved& container, std::vector<RungSays>& out) {
  const auto label = container.muniment_labels().find("class");
  if (label == container.muniment_labels().end()) return;
  out.push_back({v1::RUNG_LABEL, class_of_word(label->second),
                 "label muniment.class=" + inert_short(label->second, 80)});
}

void add_image(const v1::ContainerObserved& container, std::vector<RungSays>& out) {
  std::vector<std::string> names = {container.image()};
  for (const std::string& name : container.image_names()) names.push_back(name);
  for (const std::string& name : names) {
    const Sign* sign = find_sign(kImages, repository_base(name));
    if (sign == nullptr) continue;
    out.push_back({v1::RUNG_IMAGE, sign->backup_class, "image " + inert_short(name, 200)});
    return;
  }
}

// Once for each class that a rung's signs speak of.
void add_once(v1::Rung rung, const Sign& sign, const std::string& what,
              std::vector<RungSays>& out) {
  const bool known = std::any_of(out.begin(), out.end(), [&](const RungSays& one) {
    return one.rung == rung && one.backup_class == sign.backup_class;
  });
  if (known) return;
  RungSays& says = out.emplace_back();
  says.rung = rung;
  says.backup_class = sign.backup_class;
  says.evidence = what + inert(sign.text);
}

}  // namespace

std::string_view repository_base(std::string_view image) {
  image = image.substr(0, image.find('@'));
  const std::size_t slash = image.rfind('/');
  if (slash != std::string_view::npos) image.remove_prefix(slash + 1);
  return image.substr(0, image.find(':'));
}

std::vector<RungSays> climb_ladder(const ContainerSight& sight) {
  std::vector<RungSays> out;
  add_label(sight.container, out);
  add_image(sight.container, out);
  for (const std::string& name : sight.container.environment_names()) {
    const Sign* sign = find_sign(kVariables, name);
    if (sign != nullptr) add_once(v1::RUNG_ENVIRONMENT, *sign, "environment has ", out);
  }
  for (const v1::Mount& mount : sight.container.mounts()) {
    const Sign* sign = find_sign(kMounts, mount.destination());
    if (sign != nullptr) add_once(v1::RUNG_MOUNT, *sign, "a mount at ", out);
  }
  if (sight.paths.size() == 1 && sight.paths.front().sqlite().header_ok()) {
    out.push_back({v1::RUNG_HEADER, v1::BACKUP_CLASS_SQLITE,
                   "the content of " + inert(sight.paths.front().path()) + " says sqlite"});
  }
  return out;
}

}  // namespace muniment
