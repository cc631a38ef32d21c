// Canaries in every place where services keep secrets: none is found in what the program writes,
// says, or asks of an engine.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "recorder/world/engine/engine_http.h"
#include "tests/lab/lab_faults.h"
#include "tests/support/engine_proxy.h"
#include "tests/support/generator.h"
#include "tests/support/read_file.h"

namespace muniment {
namespace {

// What Base64 makes of `text` inside of something longer, without the characters that its
// neighbours decide, for each of the three places it can begin at.
std::vector<std::string> base64_forms(const std::string& text) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<std::string> out;
  for (std::size_t skip = 0; skip < 3; ++skip) {
    std::string form;
    for (std::size_t at = skip; at + 3 <= text.size(); at += 3) {
      std::size_t bits = 0;
      for (std::size_t i = 0; i < 3; ++i) {
        bits = bits << 8U | static_cast<unsigned char>(text[at + i]);
      }
      for (const unsigned shift : {18U, 12U, 6U, 0U}) form += kAlphabet[bits >> shift & 63U];
    }
    out.push_back(form);
  }
  return out;
}

// Names and values that nobody else has, and where they were found.
class Canaries {
 public:
  explicit Canaries(Generator& generator) : generator_(generator) {}

  // One that is kept at `place`.
  std::string add(const std::string& place) {
    const std::string value =
        "Cnry" + generator_.text(24, "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789");
    forms_[place] = base64_forms(value);
    forms_[place].push_back(value);
    return value;
  }
  // The places whose canaries stand in `text`, as they are or in Base64, but for those whose name
  // begins with `except`.
  std::string found_in(const std::string& text, std::string_view except = "-") const {
    std::string out;
    for (const auto& [place, forms] : forms_) {
      if (place.starts_with(except)) continue;
      bool found = false;
      for (const std::string& form : forms) found = found || text.contains(form);
      if (found) out += place + "; ";
    }
    return out;
  }
  std::size_t size() const { return forms_.size(); }
  std::string places() const {
    std::string out;
    for (const auto& [place, forms] : forms_) out += "  " + place + "\n";
    return out;
  }

 private:
  Generator& generator_;
  std::map<std::string, std::vector<std::string>> forms_;  // by place
};

// Reads the command lines of all processes, again and again, in a thread of its own.
class CommandLines {
 public:
  explicit CommandLines(const Canaries& canaries)
      : canaries_(canaries), thread_([this] { watch(); }) {}
  ~CommandLines() { stop(); }
  CommandLines(const CommandLines&) = delete;
  CommandLines& operator=(const CommandLines&) = delete;

  void stop() {
    done_ = true;
    if (thread_.joinable()) thread_.join();
  }
  // To be asked behind stop().
  const std::string& found() const { return found_; }
  std::size_t rounds() const { return rounds_; }
  std::size_t of_muniment() const { return of_muniment_; }

 private:
  void watch() {
    while (!done_) {
      std::error_code none;
      for (const auto& entry : std::filesystem::directory_iterator("/proc", none)) {
        const std::string name = entry.path().filename();
        if (std::isdigit(static_cast<unsigned char>(name.front())) == 0) continue;
        // One that has ended since has none.
        const std::string line = read_if_there(entry.path() / "cmdline");
        if (line.starts_with(MUNIMENT_BINARY)) ++of_muniment_;
        if (!seen_.insert(line).second) continue;
        if (const std::string found = canaries_.found_in(line); !found.empty()) {
          found_ += found + line + "\n";
        }
      }
      ++rounds_;
    }
  }
  static std::string read_if_there(const std::filesystem::path& path) {
    std::string out;
    if (std::FILE* const file = std::fopen(path.c_str(), "re")) {
      char room[8192];
      for (std::size_t n = 0; (n = std::fread(room, 1, sizeof room, file)) > 0;) {
        out.append(room, n);
      }
      std::fclose(file);
    }
    return out;
  }

  const Canaries& canaries_;
  std::set<std::string> seen_;
  std::string found_;
  std::size_t rounds_ = 0;
  std::size_t of_muniment_ = 0;
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

constexpr const char* kFakeDump =
    "printf '#!/bin/sh\\nenv >&2\\ncat /run/secrets/* >&2\\nexit 1\\n' >/tmp/pg_dump && "
    "cp /tmp/pg_dump /usr/lib/postgresql/15/bin/pg_dump && "
    "chmod 755 /usr/lib/postgresql/15/bin/pg_dump";

// Three containers that hold canaries: a server that is well, one whose pg_dump prints all that it
// knows, and a Redis with an ACL user.
class SecretServices {
 public:
  SecretServices(const Lab& engine, bool podman, Canaries& canaries)
      : engine_(engine), podman_(podman), canaries_(canaries) {
    std::filesystem::permissions(files_.path, std::filesystem::perms(0755));
  }
  ~SecretServices() {
    for (const char* kind : {"db", "bad", "redis"}) engine_.docker({"rm", "-f", "-v", name(kind)});
  }
  SecretServices(const SecretServices&) = delete;
  SecretServices& operator=(const SecretServices&) = delete;

  std::string name(const std::string& kind) const {
    return "muniment-secret-" + kind + "-" + std::to_string(::getpid());
  }
  bool make() { return make_postgres("db") && make_postgres("bad") && make_redis() && settle(); }
  const std::string& acl_password() const { return acl_password_; }

  std::string modules() const {
    const auto table = [](const std::string& module, const std::string& container,
                          const std::string& more) {
      return "[[module]]\nname = \"" + module + "\"\ncontainer = { name = \"" + container +
             "\" }\n" + more + "\n";
    };
    const std::string file =
        "class = \"postgres\"\nauth = { user = \"postgres\", password = "
        "\"file-env:POSTGRES_PASSWORD_FILE\" }\n";
    const std::string mounted =
        "class = \"postgres\"\nauth = { user = \"postgres\", password = \"secret:pg\" }\n";
    return table("by-file", name("db"), file) + table("by-secret", name("db"), mounted) +
           table("no-such", name("db"), file + "databases = [\"no-such\"]\n") +
           table("printing", name("bad"), mounted + "globals = false\n") +
           table("acl", name("redis"),
                 "class = \"redis\"\nauth = { user = \"backup\", password = \"secret:acl\" }\n") +
           table("acl-wrong", name("redis"),
                 "class = \"redis\"\nauth = { user = \"backup\", password = "
                 "\"env:SESSION_TOKEN\" }\n") +
           table("hosts", name("redis"), "class = \"files\"\npaths = [\"/etc/ssl\"]\n");
  }

 private:
  std::vector<std::string> start_of(const std::string& kind) {
    std::vector<std::string> argv{"run",       "-d",   "--name",  name(kind),
                                  "--network", "none", "--label", "muniment-test=1"};
    if (podman_) argv.insert(argv.end(), {"--cgroup-parent", "/muniment-lab-podman"});
    const auto label = [&](const std::string& key) {
      argv.insert(argv.end(), {"--label", key + "=" + canaries_.add("label " + key + ", " + kind)});
    };
    label("com.docker.compose.project.environment_file");
    label("com.docker.compose.config-hash");
    label("traefik.http.middlewares.auth.basicauth.users");
    for (const char* variable : {"SESSION_TOKEN", "SMTP_PASSWORD", "SECRET_KEY", "DATABASE_URL"}) {
      const std::string value = canaries_.add(std::string("variable ") + variable + ", " + kind);
      const bool url = std::string_view(variable) == "DATABASE_URL";
      argv.insert(argv.end(), {"-e", std::string(variable) + "=" +
                                         (url ? "postgres://app:" + value + "@db/app" : value)});
    }
    return argv;
  }
  bool make_postgres(const std::string& kind) {
    const std::string path = files_ / ("pg-" + kind);
    write_text(path, canaries_.add("file /run/secrets/pg, " + kind) + "\n");
    std::filesystem::permissions(path, std::filesystem::perms(0400));
    std::vector<std::string> argv = start_of(kind);
    argv.insert(argv.end(),
                {"-v", path + ":/run/secrets/pg:ro", "-e", "POSTGRES_PASSWORD_FILE=/run/secrets/pg",
                 "-e", "LAB_LOCAL_AUTH=scram-sha-256", "localhost/lab/postgres:15"});
    return engine_.done(argv);
  }
  bool make_redis() {
    std::vector<std::string> argv = start_of("redis");
    argv.insert(argv.end(), {"-e", "REDIS_PASSWORD=" + canaries_.add("variable REDIS_PASSWORD"),
                             "localhost/lab/redis:7"});
    acl_password_ = canaries_.add("ACL user's password, a file of the host");
    return engine_.done(argv);
  }
  bool settle() {
    for (const char* kind : {"db", "bad"}) {
      if (!engine_.becomes_true({"exec", name(kind), "sh", "-c",
                                 "PGPASSWORD=$(cat /run/secrets/pg) psql -U postgres -Atqc 'SELECT "
                                 "1'"})) {
        return false;
      }
    }
    const std::string set =
        "REDISCLI_AUTH=$REDIS_PASSWORD redis-cli --no-auth-warning ACL SETUSER backup on '>" +
        acl_password_ + "' resetkeys -@all +psync +sync +replconf +ping | grep -q OK";
    return engine_.becomes_true({"exec", name("redis"), "sh", "-c", set}) &&
           engine_.done({"exec", "-u", "0", name("bad"), "sh", "-c", kFakeDump});
  }

  const Lab& engine_;
  bool podman_;
  Canaries& canaries_;
  TempDir files_;
  std::string acl_password_;
};

constexpr const char* kEvents = "engine's events";

// All that was searched, by place.
class Places {
 public:
  void add(const std::string& place, const std::string& text) { texts_[place] += text; }
  void expect_none(const Canaries& canaries) const {
    for (const auto& [place, text] : texts_) {
      // An engine tells a container's labels with each of its events.
      const char* const except = place == kEvents ? "label " : "-";
      EXPECT_EQ(canaries.found_in(text, except), "") << "in " << place;
    }
  }
  const std::string& text(const std::string& place) { return texts_[place]; }
  std::string list() const {
    std::string out;
    for (const auto& [place, text] : texts_) {
      out += "  " + place + ": " + std::to_string(text.size()) + " bytes\n";
    }
    return out;
  }

 private:
  std::map<std::string, std::string> texts_;
};

// Rehearses and executes every module, and asks for all that is said of it.
void use_every_command(const LabRun& run, Places& places) {
  const auto say = [&](const std::vector<std::string>& arguments) {
    const Ran ran = run.run(arguments);
    std::string place = "muniment";
    for (const std::string& argument : arguments) place += " " + argument;
    places.add(place, ran.out + ran.err);
    return ran;
  };
  EXPECT_EQ(say({"init"}).exit_code, 0);
  say({"resolve"});
  say({"resolve", "--json"});
  EXPECT_EQ(say({"--verbose", "backup", "--dry-run", "--all"}).exit_code, 0);
  for (const char* module : {"by-file", "by-secret", "acl", "hosts"}) {
    const Ran ran = say({"--verbose", "backup", module});
    EXPECT_EQ(ran.exit_code, 0) << module << ran.out << ran.err;
  }
  for (const char* module : {"no-such", "printing", "acl-wrong"}) {
    const Ran ran = say({"--verbose", "--log-format", "json", "backup", module});
    EXPECT_EQ(ran.exit_code, 1) << module << ran.out << ran.err;
  }
  say({"runs", "--json"});
  say({"events", "--jsonl"});
  say({"verify"});
  for (const char* module :
       {"by-file", "by-secret", "acl", "hosts", "no-such", "printing", "acl-wrong"}) {
    const std::string latest = std::string("latest:") + module;
    say({"show", latest});
    say({"show", "--json", latest});
    for (const char* format : {"text", "json", "markdown"}) {
      say({"report", latest, "--format", format});
    }
    say({"report", latest, "--template", "context-pack"});
  }
}

// What lies in a folder: the files' bytes, and for `names` their names.
std::string bytes_of(const std::string& folder, bool names) {
  std::string out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (names) out += entry.path().string() + "\n";
    if (!names && entry.is_regular_file()) out += read_file(entry.path());
  }
  return out;
}

// What the engine tells of each command that was run through the proxy.
std::string inspected_commands(const Lab& engine, const EngineProxy& proxy, int& count) {
  EngineHttp http(engine.socket(), EngineLimits{});
  std::string out;
  for (const ProxiedRequest& request : proxy.requests()) {
    const std::size_t end = request.target.rfind("/start");
    if (request.method != "POST" || end == std::string::npos) continue;
    const Result<HttpAnswer> answer = http.get(request.target.substr(0, end) + "/json");
    if (!answer || answer->status != 200) continue;
    out += answer->body + "\n";
    ++count;
  }
  return out;
}

class Secrets : public testing::TestWithParam<const char*> {};

TEST_P(Secrets, NoneIsFoundWhereverItIsLookedFor) {
  const Lab& engine = Lab::up(GetParam());
  MUNIMENT_NEED_LAB(engine);
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  Canaries canaries(generator);
  SecretServices services(engine, std::string(GetParam()) == "podman", canaries);
  ASSERT_TRUE(services.make());
  // The search finds them where they are, and the failing program does print them.
  const std::string inspected = engine.docker({"inspect", services.name("bad")}).out;
  EXPECT_TRUE(canaries.found_in(inspected).contains("SECRET_KEY, bad"));
  const Ran printed = engine.docker({"exec", services.name("bad"), "pg_dump"});
  EXPECT_TRUE(canaries.found_in(printed.err).contains("SMTP_PASSWORD, bad"));
  EXPECT_TRUE(canaries.found_in(printed.err).contains("/run/secrets/pg, bad")) << printed.err;

  EngineProxy proxy(engine.socket());
  const LabRun run(proxy.selector(), services.modules());
  run.write_secret("acl", services.acl_password() + "\n");
  Places places;
  const long since = Lab::next_second();
  CommandLines lines(canaries);
  use_every_command(run, places);
  lines.stop();

  places.add(kEvents, engine.events(since));
  int commands = 0;
  places.add("exec inspect", inspected_commands(engine, proxy, commands));
  places.add("files of the store", bytes_of(run.store(), false));
  places.add("names below the store and the backups",
             bytes_of(run.store(), true) + bytes_of(run.root(), true));
  places.expect_none(canaries);
  EXPECT_EQ(lines.found(), "");
  EXPECT_GT(lines.rounds(), 10U);
  EXPECT_GT(lines.of_muniment(), 0U);
  EXPECT_GT(commands, 10);
  EXPECT_TRUE(places.text(kEvents).contains("exec"));
  // What the failing program printed did come that far.
  EXPECT_TRUE(places.text("muniment events --jsonl").contains("SMTP_PASSWORD="));
  std::printf("%s, %s\n%zu canaries:\n%ssearched:\n%s  /proc/*/cmdline: %zu rounds\n", GetParam(),
              generator.seed_line().c_str(), canaries.size(), canaries.places().c_str(),
              places.list().c_str(), lines.rounds());
}

TEST_P(Secrets, AFileOfTheHostThatOthersMayReadIsRefused) {
  const Lab& engine = Lab::up(GetParam());
  MUNIMENT_NEED_LAB(engine);
  const std::string modules =
      "[[module]]\nname = \"cache\"\ncontainer = { compose = \"shop/cache\" }\n"
      "auth = { password = \"secret:cache\" }\n";
  const LabRun run("unix://" + engine.socket(), modules);
  run.init();
  const std::string password = engine.setting("MUNIMENT_LAB_REDIS_PASSWORD");
  run.write_secret("cache", password, 0644);
  const Ran refused = run.run({"backup", "cache"});
  EXPECT_EQ(refused.exit_code, 1) << refused.out << refused.err;
  EXPECT_TRUE(refused.err.contains("secrets/cache must be a file of mode 0600")) << refused.err;
  EXPECT_FALSE((refused.out + refused.err).contains(password));
  run.write_secret("cache", password, 0600);
  const Ran taken = run.run({"backup", "cache"});
  EXPECT_EQ(taken.exit_code, 0) << taken.out << taken.err;
}

INSTANTIATE_TEST_SUITE_P(Engines, Secrets, testing::Values("docker", "podman"),
                         [](const auto& each) { return std::string(each.param); });

}  // namespace
}  // namespace muniment
