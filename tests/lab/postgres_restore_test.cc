// PostgreSQL is rehearsed, dumped while a writer writes, restored with psql and pg_restore into a
// fresh server, and compared with its source row by row.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/lab/lab_fixture.h"

namespace muniment {
namespace {

struct Server {
  std::string container;
  std::string user;
  std::string password;
};

std::string sql(const Lab& lab, const Server& server, const std::string& database,
                const std::string& text) {
  return lab.out_of(server.container,
                    {{"PGPASSWORD", server.password},
                     {"LAB_SQL", text},
                     {"LAB_USER", server.user},
                     {"LAB_DATABASE", database}},
                    "printf %s \"$LAB_SQL\" | "
                    "psql -XAtq -v ON_ERROR_STOP=1 -U \"$LAB_USER\" -d \"$LAB_DATABASE\"");
}

// Two tables that every transaction changes: a dump where they differ was not taken at one moment.
constexpr const char* kMakeWritten =
    "DROP TABLE IF EXISTS muniment_written, muniment_total; "
    "CREATE TABLE muniment_written (id bigint PRIMARY KEY, body text NOT NULL); "
    "CREATE TABLE muniment_total (n bigint NOT NULL); INSERT INTO muniment_total VALUES (0);";
constexpr const char* kDropWritten = "DROP TABLE IF EXISTS muniment_written, muniment_total;";
constexpr const char* kWriteRows =
    R"(i=0; while writing; do i=$((i + 1)); printf '%s\n' "BEGIN;" \
  "INSERT INTO muniment_written VALUES ($i, md5('$i'));" \
  "UPDATE muniment_total SET n = n + 1;" "COMMIT;" "SELECT $i;"; sleep 0.02; done |
  psql -XAtq -v ON_ERROR_STOP=1 -U "$LAB_USER" -d "$LAB_USER")";
constexpr const char* kWritten = "SELECT id, body FROM muniment_written ORDER BY id;";

// Every row of every table, each large object, sequence, view's and function's text, owner and
// grant of a database.
constexpr const char* kWholeDatabase = R"(
SET search_path = '';
SELECT 'schema', nspname, nspowner::regrole FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 2;
SELECT 'relation', c.oid::regclass, relkind, relowner::regrole, obj_description(c.oid, 'pg_class'),
  (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(relacl) a)
FROM pg_class c WHERE relname !~ '^muniment_' AND relnamespace IN (
  SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
ORDER BY c.oid::regclass::text COLLATE "C";
SELECT 'column', attrelid::regclass, attname, atttypid::regtype, atttypmod, attnotnull, attnum
FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE attnum > 0 AND relname !~ '^muniment_'
AND relnamespace::regnamespace::text !~ '^(pg_.*|information_schema)$'
ORDER BY attrelid::regclass::text COLLATE "C", attnum;
SELECT 'index', indexdef FROM pg_indexes WHERE schemaname !~ '^pg_' AND tablename !~ '^muniment_'
ORDER BY indexdef COLLATE "C";
SELECT 'constraint', conrelid::regclass, conname, pg_get_constraintdef(o.oid)
FROM pg_constraint o JOIN pg_class c ON c.oid = conrelid WHERE relname !~ '^muniment_'
AND relnamespace::regnamespace::text !~ '^(pg_.*|information_schema)$'
ORDER BY conrelid::regclass::text COLLATE "C", conname;
SELECT 'view', schemaname, viewname, definition FROM pg_views
WHERE schemaname !~ '^(pg_.*|information_schema)$' ORDER BY 2, 3;
SELECT 'function', pg_get_functiondef(oid) FROM pg_proc
WHERE pronamespace::regnamespace::text !~ '^(pg_.*|information_schema)$' ORDER BY 2;
SELECT 'sequence', schemaname, sequencename, start_value, increment_by, last_value
FROM pg_sequences ORDER BY 2, 3;
SELECT format('SELECT %L, t::text FROM %s t ORDER BY t::text COLLATE "C"', c.oid::regclass,
  c.oid::regclass) FROM pg_class c WHERE relkind IN ('r', 'm') AND relname !~ '^muniment_'
AND relnamespace::regnamespace::text !~ '^(pg_.*|information_schema)$'
ORDER BY c.oid::regclass::text COLLATE "C" \gexec
SELECT 'large object', oid, lomowner::regrole, md5(lo_get(oid)), length(lo_get(oid)),
  (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(lomacl) a)
FROM pg_largeobject_metadata ORDER BY oid;
)";
// With password verifiers, which only a superuser can read.
constexpr const char* kRoles = R"(
SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication,
  rolbypassrls, rolconnlimit, rolpassword, rolvaliduntil FROM pg_authid WHERE rolname !~ '^pg_'
ORDER BY rolname;
SELECT roleid::regrole, member::regrole, grantor::regrole, admin_option FROM pg_auth_members
WHERE roleid::regrole::text !~ '^pg_' ORDER BY roleid::regrole::text, member::regrole::text;
SELECT setrole::regrole, setconfig FROM pg_db_role_setting ORDER BY setrole::regrole::text;
SELECT datname, datdba::regrole, pg_encoding_to_char(encoding), datcollate FROM pg_database
ORDER BY datname;
)";

// With the tools of the fresh server alone. Its bootstrap role bears the source's name, so that is
// the one thing which may be there already.
void restore_postgres(const Lab& lab, const FreshContainer& fresh, const Server& server,
                      const std::string& folder, const std::string& module) {
  fresh.copy_in(folder + "/" + module + ".globals.sql", "/tmp/globals.sql");
  const Ran globals =
      lab.exec(server.container, {},
               {"psql", "-Xq", "-U", server.user, "-d", "postgres", "-f", "/tmp/globals.sql"});
  EXPECT_EQ(globals.exit_code, 0) << globals.err;
  for (const std::string& line : split(globals.err, '\n')) {
    EXPECT_NE(line.find("ERROR:  role \"" + server.user + "\" already exists"), line.npos) << line;
  }
  std::size_t dumps = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(".dump")) continue;
    ++dumps;
    fresh.copy_in(entry.path(), "/tmp/one.dump");
    std::vector<std::string> command{"pg_restore", "--exit-on-error", "-U", server.user,
                                     "-d",         "postgres"};
    // A new server has that database.
    if (name != module + ".postgres.dump") command.emplace_back("--create");
    command.emplace_back("/tmp/one.dump");
    const Ran ran = lab.exec(server.container, {}, command);
    EXPECT_EQ(ran.exit_code, 0) << name << ": " << ran.err;
    EXPECT_EQ(ran.err, "") << name;
  }
  EXPECT_GE(dumps, 2U);
}

// What the writer did is there up to one moment, and that moment lies within the backup's time.
void expect_one_moment(const Lab& lab, const Server& source, const Server& fresh,
                       std::uint64_t before, std::uint64_t after) {
  const std::string database = source.user;
  const std::vector<std::string> restored = split(sql(lab, fresh, database, kWritten), '\n');
  const std::vector<std::string> all = split(sql(lab, source, database, kWritten), '\n');
  ASSERT_GT(after, before) << "the writer wrote while the backup was taken";
  EXPECT_GE(restored.size(), before);
  EXPECT_LE(restored.size(), after);
  ASSERT_LE(restored.size(), all.size());
  EXPECT_TRUE(std::equal(restored.begin(), restored.end(), all.begin())) << "not a prefix";
  EXPECT_EQ(number(sql(lab, fresh, database, "SELECT n FROM muniment_total")), restored.size());
}

struct Expected {
  std::string module;
  std::string service;
  std::vector<std::string> databases;
  std::size_t rows;  // at least
  std::size_t large_objects;
  std::size_t roles;  // lines of kRoles, at least
};

void restore_and_compare(const Lab& lab, const Server& source, const std::string& folder,
                         const Expected& expected, std::uint64_t before, std::uint64_t after) {
  const FreshContainer fresh(lab,
                             {"-e", "POSTGRES_USER=" + source.user, "-e", "POSTGRES_DB=postgres",
                              "-e", "POSTGRES_PASSWORD=of-the-fresh-server"},
                             "postgres:15");
  fresh.start({"pg_isready", "-q", "-U", source.user});
  const Server target{fresh.id(), source.user, ""};
  restore_postgres(lab, fresh, target, folder, expected.module);
  expect_one_moment(lab, source, target, before, after);
  expect_same_lines(sql(lab, target, "postgres", kRoles), sql(lab, source, "postgres", kRoles),
                    "roles", expected.roles);
  std::size_t rows = 0;
  std::size_t large_objects = 0;
  for (const std::string& database : expected.databases) {
    const std::string whole = sql(lab, source, database, kWholeDatabase);
    expect_same_lines(sql(lab, target, database, kWholeDatabase), whole, database, 1);
    for (const std::string& line : split(whole, '\n')) {
      large_objects += line.starts_with("large object|") ? 1U : 0U;
      ++rows;
    }
  }
  EXPECT_GT(rows, expected.rows);
  EXPECT_EQ(large_objects, expected.large_objects);
}

std::uint64_t rows_written(const Lab& lab, const Server& source) {
  return number(sql(lab, source, source.user, "SELECT count(*) FROM muniment_written"));
}

class PostgresRestoreTest : public LabTest {
 protected:
  void back_up_and_compare(const Server& source, const Expected& expected) {
    write_manifest(module_table(expected.module, expected.service));
    sql(lab(), source, source.user, kMakeWritten);
    rehearse();
    Writer writer(lab(), source.container,
                  {{"LAB_USER", source.user}, {"PGPASSWORD", source.password}}, kWriteRows);
    const std::uint64_t before = rows_written(lab(), source);
    execute();
    const std::uint64_t after = rows_written(lab(), source);
    writer.stop();
    if (HasFatalFailure()) return;
    restore_and_compare(lab(), source, backup_of(expected.module), expected, before, after);
    sql(lab(), source, source.user, kDropWritten);
    expect_private_and_intact();
  }
};

TEST_P(PostgresRestoreTest, BringsBackRowsRolesVerifiersAndLargeObjects) {
  back_up_and_compare({"shop-db-1", "shop", lab().setting("MUNIMENT_LAB_PG_PASSWORD")},
                      {.module = "shop-db",
                       .service = "shop/db",
                       .databases = {"shop", "stock", "postgres"},
                       .rows = 22'500,
                       .large_objects = 24,
                       .roles = 11});
}

// Its password lies in a secret's file, and its socket asks for it too.
TEST_P(PostgresRestoreTest, BringsBackAServerWhosePasswordIsInAFile) {
  back_up_and_compare({"vault-db-1", "vault", lab().setting("MUNIMENT_LAB_VAULT_PASSWORD")},
                      {.module = "vault",
                       .service = "vault/db",
                       .databases = {"vault", "postgres"},
                       .rows = 1'000,
                       .large_objects = 0,
                       .roles = 4});
}

INSTANTIATE_TEST_SUITE_P(Lab, PostgresRestoreTest, engines(), engine_name);

}  // namespace
}  // namespace muniment
