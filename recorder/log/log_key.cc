#include "recorder/log/log_key.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "recorder/core/text.h"
#include "recorder/log/private_file.h"
#include "recorder/log/queries.h"
#include "recorder/log/store_layout.h"

namespace muniment {
namespace {

constexpr std::size_t kMostKeyBytes = 4096;

std::string key_path(const std::string& store) {
  return store + "/key";
}

std::string next_path(const std::string& store) {
  return store + "/key.next";
}

std::string vkey_path(const std::string& store) {
  return store + "/vkey";
}

Status check_origin(const std::string& origin) {
  if (is_note_name(origin)) return {};
  return fail(ErrorCode::kInvalid, "the log's origin `" + inert_short(origin, 80) +
                                       "` cannot name a key: expected no white space and no plus "
                                       "sign; set `origin` in [host]");
}

Result<LogKey> write_key(const std::string& path, const std::string& origin, IfThere if_there) {
  if (Status named = check_origin(origin); !named) return pass(named);
  SigningKey secret = SigningKey::generate();
  if (Status written = write_private_file(path, secret.pem(), Access{}, if_there); !written) {
    return pass(written);
  }
  return LogKey{note_key(origin, secret.public_key()), std::move(secret)};
}

Result<std::optional<LogKey>> read_key(const std::string& path, const std::string& origin) {
  if (Status named = check_origin(origin); !named) return pass(named);
  Result<std::optional<std::string>> pem = read_private_file(path, Privacy::kSecret, kMostKeyBytes);
  if (!pem) return pass(pem);
  if (!pem->has_value()) return std::nullopt;
  Result<SigningKey> secret = SigningKey::from_pem(**pem);
  if (!secret) return fail(ErrorCode::kCorrupt, inert(path) + ": " + secret.error().message);
  return LogKey{note_key(origin, secret->public_key()), *std::move(secret)};
}

Status write_vkey(const std::string& store, const NoteKey& key) {
  return write_private_file(vkey_path(store), vkey_of(key) + "\n", access_of(store),
                            IfThere::kReplace);
}

Result<std::optional<NoteKey>> read_vkey(const std::string& store) {
  Result<std::optional<std::string>> text =
      read_private_file(vkey_path(store), Privacy::kTrusted, kMostKeyBytes);
  if (!text) return pass(text);
  if (!text->has_value()) return std::nullopt;
  std::string line = std::move(**text);
  if (line.ends_with('\n')) line.pop_back();
  Result<NoteKey> key = parse_vkey(line);
  if (!key) {
    return fail(ErrorCode::kCorrupt, inert(vkey_path(store)) + ": " + key.error().message);
  }
  return *key;
}

std::unexpected<Error> no_key(const std::string& store) {
  return fail(ErrorCode::kNotFound,
              "store " + inert(store) + " has no key to sign with; make one with `muniment init`");
}

// The newest rotation; absent: the log still has its first key.
Result<std::optional<v1::KeyRotated>> last_rotation(const LogReader& log) {
  std::optional<v1::KeyRotated> last;
  const Status read =
      read_indexed(log, IndexTag::kByType, type_value(v1::Event::kKeyRotatedFieldNumber),
                   UINT64_MAX, Direction::kBackward, [&](const StoredEvent& stored) {
                     last = stored.event.key_rotated();
                     return false;
                   });
  if (!read) return std::unexpected(read.error());
  return last;
}

}  // namespace

bool has_log_key(const std::string& store_folder) {
  return ::access(key_path(store_folder).c_str(), F_OK) == 0;
}

Result<LogKey> make_log_key(const std::string& store_folder, const std::string& origin) {
  Result<LogKey> key = write_key(key_path(store_folder), origin, IfThere::kRefuse);
  if (!key) return key;
  if (Status written = write_vkey(store_folder, key->verifier); !written) return pass(written);
  return key;
}

Result<LogKeys> read_log_keys(const std::string& store_folder, const LogReader& log) {
  Result<v1::StoreState> state = log.state();
  if (!state) return pass(state);
  Result<std::optional<LogKey>> current = read_key(key_path(store_folder), state->origin());
  if (!current) return pass(current);
  if (!current->has_value()) return no_key(store_folder);
  Result<std::optional<LogKey>> next = read_key(next_path(store_folder), state->origin());
  if (!next) return pass(next);
  Result<std::optional<v1::KeyRotated>> rotation = last_rotation(log);
  if (!rotation) return pass(rotation);
  LogKeys keys{**current, std::nullopt};
  const std::string vkey = vkey_of(keys.current.verifier);
  const std::string recorded = rotation->has_value() ? (*rotation)->new_vkey() : vkey;
  if (next->has_value() && vkey_of((*next)->verifier) == recorded) {
    keys.next = std::move(**next);
    return keys;
  }
  if (vkey != recorded) {
    return fail(ErrorCode::kCorrupt, inert(key_path(store_folder)) + " is the key " + vkey +
                                         ", the log's last rotation names " + inert(recorded) +
                                         "; restore the key from a copy");
  }
  if (next->has_value()) ::unlink(next_path(store_folder).c_str());
  // A rotation may have been killed before its last step.
  Result<std::optional<NoteKey>> shown = read_vkey(store_folder);
  if (!shown || *shown != keys.current.verifier) {
    if (Status written = write_vkey(store_folder, keys.current.verifier); !written) {
      return pass(written);
    }
  }
  return keys;
}

Result<NoteKey> read_verifier_key(const std::string& store_folder, const std::string& origin) {
  if (::access(key_path(store_folder).c_str(), R_OK) == 0) {
    Result<std::optional<LogKey>> key = read_key(key_path(store_folder), origin);
    if (!key) return pass(key);
    if (key->has_value()) return (*key)->verifier;
  }
  Result<std::optional<NoteKey>> shown = read_vkey(store_folder);
  if (!shown) return pass(shown);
  if (!shown->has_value()) return no_key(store_folder);
  return **shown;
}

Result<LogKey> make_next_key(const std::string& store_folder, const std::string& origin) {
  return write_key(next_path(store_folder), origin, IfThere::kReplace);
}

Status adopt_next_key(const std::string& store_folder, const LogKey& next) {
  if (::rename(next_path(store_folder).c_str(), key_path(store_folder).c_str()) != 0) {
    return system_error("cannot rename " + inert(next_path(store_folder)));
  }
  if (Status synced = sync_folder(store_folder); !synced) return synced;
  return write_vkey(store_folder, next.verifier);
}

}  // namespace muniment
