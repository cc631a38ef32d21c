// The key that a log is signed with, as files of its store:
//
//   STORE/key        0600, whatever group may read the store: Ed25519, PKCS #8 in PEM
//   STORE/vkey       the public half as a verifier key, for those who may read the store
//   STORE/key.next   the coming key, while a rotation is under way
//
// A rotation: key.next is made, KeyRotated is recorded, a checkpoint is signed with both keys,
// key.next takes the place of key. Killed in between, whoever signs next goes on with it.
#ifndef MUNIMENT_RECORDER_LOG_LOG_KEY_H_
#define MUNIMENT_RECORDER_LOG_LOG_KEY_H_

#include <optional>
#include <string>

#include "recorder/core/result.h"
#include "recorder/core/tlog/ed25519.h"
#include "recorder/core/tlog/note.h"
#include "recorder/log/event_log.h"

namespace muniment {

struct LogKey {
  NoteKey verifier;  // under the log's origin
  SigningKey secret;
};

struct LogKeys {
  LogKey current;
  std::optional<LogKey> next;  // its KeyRotated is in the log; the next checkpoint has both
};

// Whether STORE/key is there.
bool has_log_key(const std::string& store_folder);

// Makes STORE/key and STORE/vkey. kInvalid: the origin cannot name a key; kRefused: there is one.
Result<LogKey> make_log_key(const std::string& store_folder, const std::string& origin);

// The keys to sign with. A key.next that no event speaks of was left by a rotation that did not
// get that far, and is removed. The caller holds the store for writing.
// Errors: kNotFound (no key: names `muniment init`), kRefused (somebody else can read or write it),
// kCorrupt (it is not the key that the log's last rotation names), kIo.
Result<LogKeys> read_log_keys(const std::string& store_folder, const LogReader& log);

// The public half, from STORE/key where this user may read it, else from STORE/vkey.
// kNotFound: no key was made.
Result<NoteKey> read_verifier_key(const std::string& store_folder, const std::string& origin);

// Makes STORE/key.next, in the place of one that was never recorded.
Result<LogKey> make_next_key(const std::string& store_folder, const std::string& origin);

// key.next takes the place of key: after the checkpoint with both signatures is durable.
Status adopt_next_key(const std::string& store_folder, const LogKey& next);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_LOG_KEY_H_
