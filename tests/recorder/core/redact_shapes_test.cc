#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/redact.h"

namespace muniment {
namespace {

struct Example {
  std::string_view text;
  std::string_view redacted;
};

void expect_each(const std::vector<Example>& examples) {
  for (const Example& example : examples) {
    EXPECT_EQ(Redactor().redact(example.text), example.redacted);
    EXPECT_EQ(Redactor().redact(example.redacted), example.redacted) << "done twice";
  }
}

TEST(Redactor, MasksTheValueOfAnOption) {
  expect_each({
      {"x --password=abc y", "x --password=[redacted:option] y"},
      {"x --password abc y", "x --password [redacted:option] y"},
      {"x --password\tabc", "x --password\t[redacted:option]"},
      {"x --password 'a b' y", "x --password '[redacted:option]' y"},
      {"x --password=\"a \\\" b\" y", "x --password=\"[redacted:option]\" y"},
      {"x --password=abc'd e'f y", "x --password=[redacted:option] y"},
      {"x '--password=a b' y", "x '--password=[redacted:option]' y"},
      {"sh -c \"psql --password abc\" y", "sh -c \"psql --password [redacted:option]\" y"},
      {"x --token abc --secret d --api-key=e",
       "x --token [redacted:option] --secret [redacted:option] --api-key=[redacted:option]"},
      {"x --db-password abc --DB_TOKEN=d",
       "x --db-password [redacted:option] --DB_TOKEN=[redacted:option]"},
      {"x -token=abc", "x -token=[redacted:option]"},
      {"x --password -abc", "x --password [redacted:option]"},
      {"x --password --token abc", "x --password --token [redacted:option]"},
      {"x --password \\\n  abc y", "x --password \\\n  [redacted:option] y"},
      {"--password [redacted:env:X] y", "--password [redacted:env:X] y"},
  });
}

TEST(Redactor, LeavesOptionsThatTakeNoSecret) {
  for (const std::string_view text :
       {"psql -p 5432 -h host", "mysql -pabc", "x --no-password db", "x --password-file /run/f",
        "x --password", "x --password\nnext line", "x --password=", "x --bypass abc",
        "x --token-ttl 3h", "x --key FILE", "a--password b", "use --password, or not"}) {
    EXPECT_EQ(Redactor().redact(text), text);
  }
}

TEST(Redactor, MasksTheValueOfAHeader) {
  expect_each({
      {"Authorization: Bearer xyz", "Authorization: [redacted:header]"},
      {"> authorization: Basic YTpi\r\n> Host: h\r\n",
       "> authorization: [redacted:header]\r\n> Host: h\r\n"},
      {"curl -H \"Authorization: Bearer xyz\" http://h/",
       "curl -H \"Authorization: [redacted:header]\" http://h/"},
      {"curl -H'X-Api-Key: xyz' -v", "curl -H'X-Api-Key: [redacted:header]' -v"},
      {"curl -HAuthorization:xyz", "curl -HAuthorization:[redacted:header]"},
      {"Proxy-Authorization: a b\nnext", "Proxy-Authorization: [redacted:header]\nnext"},
      {"Cookie: a=b; c=d", "Cookie: [redacted:header]"},
      {"Set-Cookie: sid=1; Path=/", "Set-Cookie: [redacted:header]"},
      {"PRIVATE-TOKEN: glpat", "PRIVATE-TOKEN: [redacted:header]"},
      {"{\"Authorization\": \"Bearer xyz\", \"a\": 1}",
       "{\"Authorization\": \"[redacted:header]\", \"a\": 1}"},
      {"Host: example.org", "Host: example.org"},
      {"Authorization:", "Authorization:"},
  });
}

TEST(Redactor, MasksUserInfoInAUrl) {
  expect_each({
      {"postgres://u:p@db:5432/x", "postgres://[redacted:url]@db:5432/x"},
      {"(redis://:p@h)", "(redis://[redacted:url]@h)"},
      {"https://token@git/x@v1", "https://[redacted:url]@git/x@v1"},
      {"amqp://u:a@b@h/", "amqp://[redacted:url]@h/"},
      {"db://u:pa/ss@host/x", "db://[redacted:url]@host/x"},
      {"https://host:8080/a@b", "https://host:8080/a@b"},
      {"https://[::1]:80/a@b", "https://[::1]:80/a@b"},
      {"https://host/?q=a@b", "https://host/?q=a@b"},
      {"unix:///run/docker.sock", "unix:///run/docker.sock"},
      {"mail me@host", "mail me@host"},
  });
}

TEST(Redactor, MasksAnAssignmentToASecretName) {
  expect_each({
      {"PGPASSWORD=abc pg_dump", "PGPASSWORD=[redacted:assignment] pg_dump"},
      {"env PGPASSWORD='a b' x", "env PGPASSWORD='[redacted:assignment]' x"},
      {"-e \"PGPASSWORD=a b\" x", "-e \"PGPASSWORD=[redacted:assignment]\" x"},
      {"-ePGPASSWORD=ab x", "-ePGPASSWORD=[redacted:option] x"},
      {"--env=API_KEY=ab x", "--env=API_KEY=[redacted:assignment] x"},
      {"host=x password=abc dbname=y", "host=x password=[redacted:assignment] dbname=y"},
      {"PWD=/srv OLDPWD=/x SSH_AUTH_SOCK=/y", "PWD=/srv OLDPWD=/x SSH_AUTH_SOCK=/y"},
      {"PASSWORD= x", "PASSWORD= x"},
      {"PATH=/bin HOME=/root", "PATH=/bin HOME=/root"},
      {"secrets=hunter2 keys=abc", "secrets=[redacted:assignment] keys=[redacted:assignment]"},
      {"password=\"hunter2\"", "password=\"[redacted:assignment]\""},
      {"password=[\"trust\", \"hunter2\"]", "password=[redacted:assignment] \"hunter2\"]"},
  });
}

TEST(Redactor, LeavesTheReferencesOfAManifest) {
  const std::string path =
      std::string(MUNIMENT_SOURCE_DIR) + "/tests/recorder/core/good_manifests/example.toml";
  std::ifstream file(path);
  const std::string example((std::istreambuf_iterator<char>(file)), {});
  ASSERT_GT(example.size(), 1000U) << path;
  EXPECT_EQ(Redactor().redact(example), example);
  std::string tight;
  for (const char c : example) {
    if (c != ' ') tight += c;
  }
  EXPECT_EQ(Redactor().redact(tight), tight);
  for (const std::string_view text :
       {"password = \"env:X\"", "password=\"env:X\"", "password='secret:redis_password'",
        "auth={user=\"backup\",password=[\"trust\",\n  \"file-env:POSTGRES_PASSWORD_FILE\"]}"}) {
    EXPECT_EQ(Redactor().redact(text), text);
  }
}

TEST(Redactor, MasksALiteralInAnArrayOfTheManifest) {
  expect_each({
      {"argv = [\"pg_dump\", \"--password\", \"hunter2\", \"db\"]",
       "argv = [\"pg_dump\", \"--password\", \"[redacted:option]\", \"db\"]"},
      {"argv = [\n  \"x\",\n  '--token',\n  'hunter2',\n]",
       "argv = [\n  \"x\",\n  '--token',\n  '[redacted:option]',\n]"},
      {"argv = [\"x\", \"--password=hunter2 and more\"]",
       "argv = [\"x\", \"--password=[redacted:option]\"]"},
      {"argv = [\"x\", \"--password\", \"--token\", \"hunter2\"]",
       "argv = [\"x\", \"--password\", \"--token\", \"[redacted:option]\"]"},
      {"argv = [\"curl\", \"-H\", \"Authorization: Bearer xyz\"]",
       "argv = [\"curl\", \"-H\", \"Authorization: [redacted:header]\"]"},
  });
}

TEST(RedactArguments, SeeTheValueInTheNextArgument) {
  Redactor redactor;
  redactor.add_secret("env:TOKEN", "s3cr3t-s3cr3t");
  const auto redacted = [&](const std::vector<std::string>& argv) {
    return redactor.redact_arguments(argv);
  };
  using Words = std::vector<std::string>;
  EXPECT_EQ(redacted({"psql", "--password", "a b\nc", "db"}),
            (Words{"psql", "--password", "[redacted:option]", "db"}));
  EXPECT_EQ(
      redacted({"psql", "--password=a b", "PGPASSWORD=c d", "db"}),
      (Words{"psql", "--password=[redacted:option]", "PGPASSWORD=[redacted:assignment]", "db"}));
  EXPECT_EQ(redacted({"x", "--password", "--token", "abc"}),
            (Words{"x", "--password", "--token", "[redacted:option]"}));
  EXPECT_EQ(redacted({"x", "--token", "s3cr3t-s3cr3t", "s3cr3t-s3cr3t"}),
            (Words{"x", "--token", "[redacted:env:TOKEN]", "[redacted:env:TOKEN]"}));
  EXPECT_EQ(redacted({"curl", "-H", "Cookie: a=b", "http://u:p@h"}),
            (Words{"curl", "-H", "Cookie: [redacted:header]", "http://[redacted:url]@h"}));
  EXPECT_EQ(redacted({"mysql", "-p", "abc", "--password"}),
            (Words{"mysql", "-p", "abc", "--password"}));
  EXPECT_EQ(redacted({}), Words{});
}

}  // namespace
}  // namespace muniment
