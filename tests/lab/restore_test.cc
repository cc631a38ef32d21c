// A backup is worth what comes out of it: Redis, SQLite and files are rehearsed, taken while
// writers write, restored with their own tools, and compared with their source.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "tests/lab/lab_fixture.h"
#include "tests/support/read_file.h"

namespace muniment {
namespace {

// ---- redis

// One line for each key of each database: type, name, when it ends (in milliseconds, absolutely),
// digest of the value. The order within a hash table is each server's own; all else is DUMP's
// bytes.
constexpr const char* kKeys = R"(
local out = {}
for db = 0, 15 do
  redis.call('SELECT', db)
  for _, key in ipairs(redis.call('KEYS', '*')) do
    if key:sub(1, 8) ~= 'written:' then
      local kind = redis.call('TYPE', key).ok
      local value
      if redis.call('OBJECT', 'ENCODING', key) == 'hashtable' then
        local parts = {}
        if kind == 'set' then
          parts = redis.call('SMEMBERS', key)
        else
          local flat = redis.call('HGETALL', key)
          for i = 1, #flat, 2 do parts[#parts + 1] = #flat[i] .. ':' .. flat[i] .. flat[i + 1] end
        end
        table.sort(parts)
        value = table.concat(parts, '\n')
      else
        value = redis.call('DUMP', key)
      end
      out[#out + 1] = table.concat({db, kind, key, redis.call('PEXPIRETIME', key),
        redis.sha1hex(value)}, ' ')
    end
  end
end
redis.call('SELECT', 0)
table.sort(out)
return table.concat(out, '\n'))";

// A list and a number that each transaction changes.
constexpr const char* kWriteKeys =
    R"(i=0; while writing; do i=$((i + 1)); printf '%s\n' MULTI "RPUSH written:list $i" \
  "SET written:total $i" EXEC; sleep 0.005; done | redis-cli --no-auth-warning $LAB_LOGIN)";

class RedisRestoreTest : public LabTest {
 protected:
  // `login` holds REDISCLI_AUTH and LAB_LOGIN.
  std::string ask(const std::string& container, Lab::Variables login, const std::string& script) {
    login["LAB_LUA"] = script;
    const std::string out = lab().out_of(
        container, login, "redis-cli --no-auth-warning --raw $LAB_LOGIN EVAL \"$LAB_LUA\" 0");
    EXPECT_FALSE(out.starts_with("ERR") || out.starts_with("NO")) << out.substr(0, 300);
    return out;
  }
  std::uint64_t written(const std::string& container, const Lab::Variables& login) {
    return number(ask(container, login, "return redis.call('LLEN', 'written:list')"));
  }

  void back_up_and_compare(const std::string& container, const std::string& table,
                           const Lab::Variables& login) {
    write_manifest(table);
    const char* const forget = "return redis.call('DEL', 'written:list', 'written:total')";
    ask(container, login, forget);
    rehearse();
    Writer writer(lab(), container, login, kWriteKeys);
    const std::uint64_t before = written(container, login);
    execute();
    const std::uint64_t after = written(container, login);
    writer.stop();
    if (HasFatalFailure()) return;
    ASSERT_GT(after, before) << "the writer wrote while the backup was taken";
    compare(container, login, before, after);
    ask(container, login, forget);
    expect_private_and_intact();
  }

  void compare(const std::string& container, const Lab::Variables& login, std::uint64_t before,
               std::uint64_t after) {
    const FreshContainer fresh(lab(), {"-e", "REDIS_PASSWORD=of-the-fresh-server"}, "redis:7");
    fresh.copy_in(decompressed(backup_of("cache") + "/cache.rdb.zst"), "/data/dump.rdb");
    const Lab::Variables inside{{"REDISCLI_AUTH", "of-the-fresh-server"}, {"LAB_LOGIN", ""}};
    fresh.start({"bash", "-c",
                 "[ \"$(REDISCLI_AUTH=of-the-fresh-server redis-cli --no-auth-warning ping)\" = "
                 "PONG ]"});
    const std::string checked = lab().out_of(fresh.id(), {}, "redis-check-rdb /data/dump.rdb");
    EXPECT_NE(checked.find("RDB looks OK"), checked.npos) << checked;
    expect_same_lines(ask(fresh.id(), inside, kKeys), ask(container, login, kKeys), "keys", 1'100);
    const std::uint64_t restored = written(fresh.id(), inside);
    EXPECT_GE(restored, before);
    EXPECT_LE(restored, after);
    EXPECT_EQ(number(ask(fresh.id(), inside, "return redis.call('GET', 'written:total')")),
              restored)
        << "not taken at one moment";
    EXPECT_EQ(number(ask(fresh.id(), inside, "return redis.call('LINDEX', 'written:list', -1)")),
              restored)
        << "in order";
  }
};

TEST_P(RedisRestoreTest, BringsBackEachKeyOfAServerWithAPassword) {
  back_up_and_compare(
      "shop-cache-1", module_table("cache", "shop/cache"),
      {{"REDISCLI_AUTH", lab().setting("MUNIMENT_LAB_REDIS_PASSWORD")}, {"LAB_LOGIN", ""}});
}

// The user `backup` may copy the data and read nothing; the application's user writes.
TEST_P(RedisRestoreTest, BringsBackEachKeyByAUserWhoMayOnlyCopy) {
  back_up_and_compare(
      "shop-sessions-1",
      module_table("cache", "shop/sessions",
                   "class = \"redis\"\n"
                   "auth = { user = \"backup\", password = \"env:REDIS_BACKUP_PASSWORD\" }\n"),
      {{"REDISCLI_AUTH", "sessions-app-pass"}, {"LAB_LOGIN", "--user app"}});
}

// ---- sqlite and files

class RestoreTest : public LabTest {};

TEST_P(RestoreTest, BringsBackADatabaseThatIsWrittenAllTheTime) {
  write_manifest(
      module_table("notes", "shop/notes", "class = \"sqlite\"\npaths = [\"/data/app.db\"]\n"));
  const auto source = [&](const std::string& query) {
    return lab().out_of("shop-notes-1", {{"LAB_SQL", query}},
                        "sqlite3 -bail -readonly -cmd '.timeout 5000' /data/app.db \"$LAB_SQL\"");
  };
  rehearse();
  const std::uint64_t before = number(source("SELECT n FROM total"));
  execute();
  std::uint64_t after = number(source("SELECT n FROM total"));
  const std::string database = decompressed(backup_of("notes") + "/notes.db.zst");
  const auto restored = [&](const std::string& query) {
    const Ran ran = run_program({"sqlite3", "-bail", "-readonly", database, query});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    return ran.out;
  };
  EXPECT_EQ(restored("PRAGMA integrity_check"), "ok\n");
  const std::uint64_t rows = number(restored("SELECT count(*) FROM notes"));
  EXPECT_EQ(number(restored("SELECT n FROM total")), rows) << "not taken at one moment";
  ASSERT_GT(after, before) << "the lab's writer is alive";
  EXPECT_GE(rows, before);
  EXPECT_LE(rows, after);
  EXPECT_EQ(restored(".schema"), source(".schema"));
  expect_same_lines(restored("SELECT * FROM notes ORDER BY id"),
                    source("SELECT * FROM notes ORDER BY id LIMIT " + std::to_string(rows)),
                    "notes", 1000);
  expect_private_and_intact();
}

// What a tree is, one record for each name: path, type, mode, owner, seconds of the last change,
// link target, number of names, and for the groups of hard links the first name; then the content.
// What the writer makes stands apart. ROUND: see engine_limits().
constexpr const char* kTree = R"(cd "$TOP"
list() { LC_ALL=C find srv/files srv/papers -path srv/files/written -prune -o "$@"; }
list -printf '%p|%y|%m|%U|%G|%T@|%l|%n\0' | LC_ALL=C sort -z |
  LC_ALL=C awk -v round="$ROUND" 'BEGIN { RS = ORS = "\0"; FS = OFS = "|" }
    { $6 = sprintf("%d", $6 + round); print }'
list -type f -links +1 -printf '%i|%p\0' | LC_ALL=C sort -z |
  LC_ALL=C awk 'BEGIN { RS = ORS = "\0"; FS = "|" } !($1 in first) { first[$1] = $2 }
    { print $2 " is " first[$1] }'
list -type f -exec sha256sum -z {} + | LC_ALL=C sort -z)";

// Links and folders come and go at once; a file is overwritten without growing.
constexpr const char* kWriteFiles = R"(cd /srv/files/written; i=0; while writing; do
i=$((i + 1)); ln -s "$i" "link-$i"; printf %08d "$i" | dd of=counter conv=notrunc status=none
echo "$i"; done)";

// The engine's own archive has whole seconds: dockerd cuts, Podman (4.3) rounds.
Lab::Variables engine_limits(const Lab& lab) {
  return {{"ROUND", lab.is_podman() ? "0.5" : "0"}};
}

std::set<std::string> links_in(const std::string& folder) {
  std::set<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.is_symlink()) out.insert(entry.path().filename());
  }
  return out;
}

TEST_P(RestoreTest, BringsBackATreeAsItWas) {
  write_manifest(module_table("files", "shop/files",
                              "class = \"files\"\npaths = [\"/srv/files\", \"/srv/papers\"]\n"));
  lab().out_of("shop-files-1", {},
               "cd /srv/files; rm -rf written; mkdir written; "
               "printf %08d 0 >written/counter");
  rehearse();
  Lab::Variables variables = engine_limits(lab());
  variables["TOP"] = "/";
  const std::string tree = lab().out_of("shop-files-1", variables, kTree);
  const std::string list = "ls /srv/files/written | grep ^link-";
  std::vector<std::string> before;
  {
    Writer writer(lab(), "shop-files-1", {}, kWriteFiles);
    before = split(lab().out_of("shop-files-1", {}, list), '\n');
    execute();
  }
  const std::vector<std::string> after = split(lab().out_of("shop-files-1", {}, list), '\n');
  const std::string archive = decompressed(backup_of("files") + "/files.tar.zst");
  const std::string top = world().path("tmp/restored");
  std::filesystem::create_directory(top);
  const Ran tar = run_program({"tar", "-xpf", archive, "--numeric-owner", "-C", top});
  ASSERT_EQ(tar.exit_code, 0) << tar.err;
  variables["TOP"] = top;
  const Ran restored = run_program({"bash", "-c", std::string("set -euo pipefail; ") + kTree},
                                   {.environment = variables, .umask = {}, .cwd = ""});
  ASSERT_EQ(restored.exit_code, 0) << restored.err;
  expect_same_lines(restored.out, tree, "tree", 170, '\0');

  const std::set<std::string> links = links_in(top + "/srv/files/written");
  ASSERT_GT(after.size(), before.size()) << "the writer wrote while the backup was taken";
  for (const std::string& name : before) EXPECT_TRUE(links.contains(name)) << name;
  const std::set<std::string> made(after.begin(), after.end());
  EXPECT_TRUE(std::includes(made.begin(), made.end(), links.begin(), links.end()));
  const std::string counter = read_file(top + "/srv/files/written/counter");
  EXPECT_EQ(counter.find_first_not_of("0123456789"), counter.npos) << counter;
  EXPECT_EQ(counter.size(), 8U);
  lab().out_of("shop-files-1", {}, "rm -rf /srv/files/written");
  expect_private_and_intact();
}

INSTANTIATE_TEST_SUITE_P(Lab, RedisRestoreTest, engines(), engine_name);
INSTANTIATE_TEST_SUITE_P(Lab, RestoreTest, engines(), engine_name);

}  // namespace
}  // namespace muniment
