// Containers that tests may break: of the lab's images, with so much data that a backup has a
// middle.
#ifndef MUNIMENT_TESTS_LAB_FAULT_SUBJECTS_H_
#define MUNIMENT_TESTS_LAB_FAULT_SUBJECTS_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/lab/lab_faults.h"

namespace muniment {

// One container of a class, removed at the end with its volume.
class FaultSubject {
 public:
  FaultSubject(const Lab& engine, std::string backup_class, bool podman)
      : engine_(engine),
        class_(std::move(backup_class)),
        podman_(podman),
        name_("muniment-fault-" + class_ + "-" + std::to_string(::getpid())) {}
  ~FaultSubject() {
    engine_.docker({"rm", "-f", "-v", name_});
    engine_.docker({"volume", "rm", "-f", name_});
  }
  FaultSubject(const FaultSubject&) = delete;
  FaultSubject& operator=(const FaultSubject&) = delete;

  const std::string& name() const { return name_; }
  const std::string& backup_class() const { return class_; }
  // In the arguments of the command whose output is the backup; empty: it is an archive.
  std::string word() const {
    if (class_ == "postgres") return "--format=custom";
    if (class_ == "redis") return "--rdb";
    return class_ == "sqlite" ? "-readonly" : "";
  }
  std::string tool() const {
    if (class_ == "postgres") return "pg_dump";
    return class_ == "redis" ? "redis-cli" : "sqlite3";
  }
  std::string password() const { return "fault-" + class_ + "-password"; }

  // The manifest's table; `auth` where it is not the container's own.
  std::string module(const std::string& auth = "") const {
    std::string out = "[[module]]\nname = \"subject\"\ncontainer = { name = \"" + name_ +
                      "\" }\nclass = \"" + class_ + "\"\n" + auth + "\n";
    if (class_ == "sqlite") out += "paths = [\"/srv/app.db\"]\n";
    if (class_ == "files") out += "paths = [\"/srv/papers\"]\n";
    return out;
  }

  // Makes it and its data where they are missing, wakes it, and waits until it answers.
  bool heal() {
    const std::string state = engine_.docker({"inspect", "-f", "{{.State.Status}}", name_}).out;
    if (state.starts_with("paused")) return engine_.done({"unpause", name_}) && is_ready();
    if (state.starts_with("running")) return true;
    if (!state.empty() && state != "\n") return engine_.done({"start", name_}) && is_ready();
    return make() && is_ready() && fill();
  }
  // Whether the backup in `root` holds what files() wrote. For the class files alone.
  bool is_whole(const std::string& root) const {
    if (class_ != "files") return false;
    const Ran ran = run_program(
        {"sh", "-c",
         "zstd -dc \"$1\"/subject/*/subject.tar.zst | tar -xO --wildcards '*scan.bin' | "
         "sha256sum",
         "sh", root});
    return !sum_.empty() && ran.out.substr(0, 64) == sum_;
  }
  // As above, with a container of the same name that is new.
  bool renew() {
    engine_.docker({"rm", "-f", name_});
    return heal();
  }

 private:
  bool make() {
    std::vector<std::string> argv{"run",       "-d",  "--name", name_, "--label", "muniment-test=1",
                                  "--network", "none"};
    if (podman_) argv.insert(argv.end(), {"--cgroup-parent", "/muniment-lab-podman"});
    const auto add = [&](const std::vector<std::string>& more) {
      argv.insert(argv.end(), more.begin(), more.end());
    };
    if (class_ == "postgres") {
      add({"-v", name_ + ":/var/lib/postgresql/data", "-e", "POSTGRES_PASSWORD=" + password(), "-e",
           "LAB_LOCAL_AUTH=scram-sha-256", "localhost/lab/postgres:15", "-c", "fsync=off"});
    } else if (class_ == "redis") {
      add({"-v", name_ + ":/data", "-e", "REDIS_PASSWORD=" + password(), "localhost/lab/redis:7",
           "--rdbcompression", "no"});
    } else {
      add({"localhost/lab/idle:1"});
    }
    return engine_.done(argv);
  }

  std::vector<std::string> inside(const std::string& script) const {
    return {"exec",
            "-e",
            "PGPASSWORD=" + password(),
            "-e",
            "REDISCLI_AUTH=" + password(),
            "-e",
            "PGUSER=postgres",
            name_,
            "sh",
            "-c",
            script};
  }
  bool is_ready() const {
    const char* asks = "true";
    if (class_ == "postgres") asks = "psql -Atqc 'SELECT 1' postgres";
    if (class_ == "redis") asks = "redis-cli PING | grep -q PONG";
    const bool ready = engine_.becomes_true(inside(asks));
    EXPECT_TRUE(ready) << name_ << " does not answer";
    return ready;
  }
  bool fill() {
    if (class_ == "postgres") {
      return engine_.done(inside(
          "psql -q postgres -c \"CREATE TABLE IF NOT EXISTS t AS SELECT "
          "md5(random()::text) || md5(random()::text) AS a FROM generate_series(1, 300000)\" "
          "-c CHECKPOINT"));
    }
    if (class_ == "redis") {
      return engine_.done(
          inside("for i in 1 2 3 4 5 6 7 8; do head -c 2000000 /dev/urandom | redis-cli "
                 "--no-auth-warning -x SET k$i; done && redis-cli --no-auth-warning SAVE"));
    }
    if (class_ == "sqlite") {
      return engine_.done(
          inside("sqlite3 -bail /srv/app.db 'CREATE TABLE t (b); WITH RECURSIVE n (i) AS (SELECT 1 "
                 "UNION ALL SELECT i + 1 FROM n WHERE i < 16000) INSERT INTO t SELECT "
                 "randomblob(1000) FROM n'"));
    }
    const Ran made =
        engine_.docker(inside("mkdir -p /srv/papers && head -c 16000000 /dev/urandom "
                              ">/srv/papers/scan.bin && sha256sum /srv/papers/scan.bin"));
    sum_ = made.out.substr(0, 64);
    return made.exit_code == 0;
  }

  const Lab& engine_;
  std::string class_;
  bool podman_;
  std::string name_;
  std::string sum_;  // of the file to save
};

}  // namespace muniment

#endif  // MUNIMENT_TESTS_LAB_FAULT_SUBJECTS_H_
