#include "recorder/world/engine/engine_json.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "recorder/core/base64.h"
#include "tests/support/generator.h"

namespace muniment {
namespace {

const std::string kId(64, 'a');
const std::string kImage = "sha256:" + std::string(64, 'b');

// As docker 20.10 answers, cut to what stands near the fields that are used.
const std::string kDockerList =
    R"([{"Id":")" + std::string(64, 'f') + R"(","Names":["/other"],
 "Image":"localhost/lab/redis","ImageID":")" +
    kImage + R"(","Command":"redis-server --requirepass canary-1",
 "Created":1763800000,"Ports":[],"Labels":{},"State":"exited","Status":"Exited (0) 2 minutes ago",
 "HostConfig":{"NetworkMode":"none"},"NetworkSettings":{"Networks":{"none":{"IPAMConfig":null}}},"Mounts":[]},
 {"Id":")" +
    kId +
    R"(","Names":["/web/db","/plat-postgres-1"],"Image":"localhost/lab/postgres:15","ImageID":")" +
    kImage + R"(","Command":"docker-entrypoint","Created":1763800000,"Ports":null,"Labels":{
 "com.docker.compose.project":"plat","com.docker.compose.service":"postgres",
 "com.docker.compose.container-number":"1","com.docker.compose.oneoff":"False",
 "muniment.class":"postgres","secret.label":"canary-2"},"State":"running","Status":"Up 2 minutes",
 "Mounts":[{"Type":"volume","Name":"v","Source":"","Destination":"/data","RW":true}]}])";

const std::string kDockerInspect = R"({"Id":")" + kId + R"(","Created":"2026-11-22T10:00:00Z",
 "Path":"postgres","Args":["--secret","canary-1"],"State":{"Status":"running","Running":true,"Paused":false,
 "Pid":4242,"ExitCode":0,"Error":"","StartedAt":"2026-11-22T10:00:01.25Z","FinishedAt":"0001-01-01T00:00:00Z",
 "Health":{"Status":"healthy","FailingStreak":0,"Log":[{"Output":"canary-2"}]}},"Image":")" +
                                   kImage + R"(",
 "Name":"/plat-postgres-1","HostConfig":{"Binds":["v:/data"]},
 "Mounts":[{"Type":"volume","Name":"plat_pg","Source":"/var/lib/docker/volumes/plat_pg/_data",
 "Destination":"/var/lib/postgresql/data","Driver":"local","Mode":"z","RW":true,"Propagation":""},
 {"Type":"bind","Source":"/etc/ssl","Destination":"/ssl","Mode":"","RW":false,"Propagation":"rprivate"}],
 "Config":{"Hostname":"x","Env":["POSTGRES_PASSWORD=canary=3","EMPTY=","BARE"],"Cmd":["canary-4"],
 "Image":"localhost/lab/postgres:15","Volumes":null,"Labels":{"com.docker.compose.project":"plat",
 "com.docker.compose.service":"postgres","com.docker.compose.oneoff":"True","muniment.class":"postgres","muniment.token":"canary-7",
 "com.docker.compose.config-hash":"canary-5","password":"canary-6"}}})";

// As podman 4.3 answers: null, {} and "" for what it does not have.
const std::string kPodmanInspect =
    R"({"Id":")" + kId + R"(","State":{"Status":"running","Running":true,
 "StartedAt":"2026-11-22T12:00:01.25+02:00","Health":{"Status":"","FailingStreak":0,"Log":null}},
 "Image":")" +
    std::string(64, 'b') + R"(","Name":"/plat-postgres-1","Mounts":[{"Type":"volume","Name":"v",
 "Source":"/s","Destination":"/data","Driver":"local","Mode":"","RW":true,"Propagation":"rprivate"}],
 "Config":{"Env":null,"Image":"localhost/lab/postgres:15","Volumes":null,"Labels":null},
 "NetworkSettings":{"Networks":{}}})";

std::string replaced(std::string text, const std::string& old, const std::string& by) {
  const std::size_t at = text.find(old);
  EXPECT_NE(at, std::string::npos) << old;
  return text.replace(at, old.size(), by);
}

TEST(EngineJson, ProjectsTheListInOrderOfId) {
  const auto listed = containers_from_json(kDockerList);
  ASSERT_TRUE(listed) << listed.error().message;
  ASSERT_EQ(listed->size(), 2U);
  const v1::ContainerObserved& first = listed->front();
  EXPECT_EQ(first.container_id(), kId);
  EXPECT_EQ(first.image_id(), kImage);
  EXPECT_EQ(first.image(), "localhost/lab/postgres:15");
  EXPECT_EQ(first.name(), "plat-postgres-1");
  EXPECT_EQ(first.compose_project(), "plat");
  EXPECT_EQ(first.compose_service(), "postgres");
  EXPECT_FALSE(first.compose_oneoff());
  EXPECT_EQ(first.state(), "running");
  EXPECT_EQ(first.mounts_size(), 0);
  ASSERT_EQ(first.muniment_labels_size(), 1);
  EXPECT_EQ(first.muniment_labels().at("class"), "postgres");
  EXPECT_EQ(listed->back().state(), "exited");
  for (const auto& container : *listed) {
    EXPECT_EQ(container.SerializeAsString().find("canary"), std::string::npos);
  }
  const auto none = containers_from_json("null");
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
}

TEST(EngineJson, ProjectsWhatDockerInspects) {
  const auto inspected = inspected_from_json(kDockerInspect);
  ASSERT_TRUE(inspected) << inspected.error().message;
  const v1::ContainerObserved& observed = inspected->observed;
  EXPECT_EQ(observed.name(), "plat-postgres-1");
  EXPECT_EQ(observed.state(), "running");
  EXPECT_EQ(observed.health(), "healthy");
  EXPECT_EQ(observed.started_at().seconds(), 1795341601);
  EXPECT_EQ(observed.started_at().nanos(), 250000000);
  EXPECT_TRUE(observed.compose_oneoff());
  ASSERT_EQ(observed.mounts_size(), 2);
  // In order of destination, whatever the engine's order is.
  EXPECT_EQ(observed.mounts(1).kind(), "volume");
  EXPECT_EQ(observed.mounts(1).name(), "plat_pg");
  EXPECT_EQ(observed.mounts(1).source(), "/var/lib/docker/volumes/plat_pg/_data");
  EXPECT_EQ(observed.mounts(1).destination(), "/var/lib/postgresql/data");
  EXPECT_FALSE(observed.mounts(1).read_only());
  EXPECT_EQ(observed.mounts(0).name(), "");
  EXPECT_TRUE(observed.mounts(0).read_only());
  ASSERT_EQ(observed.environment_names_size(), 3);
  EXPECT_EQ(observed.environment_names(0), "POSTGRES_PASSWORD");
  EXPECT_EQ(observed.environment_names(2), "BARE");
  const std::vector<std::pair<std::string, std::string>> environment = {
      {"POSTGRES_PASSWORD", "canary=3"}, {"EMPTY", ""}, {"BARE", ""}};
  EXPECT_EQ(inspected->environment, environment);
  // What may be recorded holds no value of the environment, no argument and no other label.
  EXPECT_EQ(observed.SerializeAsString().find("canary"), std::string::npos);
}

TEST(EngineJson, KeepsOfOtherLabelsWhatWasAskedForAndIsSo) {
  const auto inspected = inspected_from_json(
      kDockerInspect, {"password=canary-6", "password=other", "absent=", "password"});
  ASSERT_TRUE(inspected);
  ASSERT_EQ(inspected->observed.labels_asked_size(), 1);
  EXPECT_EQ(inspected->observed.labels_asked(0), "password=canary-6");
  const auto listed = containers_from_json(kDockerList, {"secret.label=canary-2"});
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->front().labels_asked_size(), 1);
  EXPECT_EQ(listed->back().labels_asked_size(), 0);
}

TEST(EngineJson, TakesPodmansAbsences) {
  const auto inspected = inspected_from_json(kPodmanInspect);
  ASSERT_TRUE(inspected) << inspected.error().message;
  EXPECT_EQ(inspected->observed.image_id(), kImage);
  EXPECT_EQ(inspected->observed.health(), "");
  EXPECT_EQ(inspected->observed.started_at().seconds(), 1795341601);
  EXPECT_TRUE(inspected->environment.empty());
  for (const char* const none : {"", "sha256:"}) {
    const auto pod = inspected_from_json(replaced(kPodmanInspect, std::string(64, 'b'), none));
    ASSERT_TRUE(pod) << pod.error().message;
    EXPECT_EQ(pod->observed.image_id(), "");
  }
  const auto never = inspected_from_json(
      replaced(kPodmanInspect, "2026-11-22T12:00:01.25+02:00", "0001-01-01T00:00:00Z"));
  ASSERT_TRUE(never);
  EXPECT_FALSE(never->observed.has_started_at());
  const auto off = inspected_from_json(replaced(kDockerInspect, "healthy", "none"));
  ASSERT_TRUE(off);
  EXPECT_EQ(off->observed.health(), "");
}

TEST(EngineJson, NamesTheFieldThatIsMalformed) {
  struct Case {
    const char* old;
    const char* by;
    const char* names;
  };
  const std::vector<Case> cases = {
      {"\"Args\"", "Args", "is no JSON"},
      {"\"Status\":\"running\"", "\"Status\":7", "Status"},
      {"\"Status\":\"running\"", "\"Status\":\"Up\\u001b[1m\"", "Status"},
      {"\"Status\":\"running\"", "\"Status\":\"\"", "Status"},
      {"\"State\":{", "\"State\":[],\"Old\":{", "State"},
      {"\"Mounts\":[", "\"Mounts\":[3,", "Mounts"},
      {"\"Mounts\":[", "\"Mounts\":{},\"Old\":[", "Mounts"},
      {"\"RW\":false", "\"RW\":\"no\"", "RW"},
      {"\"BARE\"", "12", "Env"},
      {"\"Destination\":\"/ssl\"", "\"Destination\":null", "Destination"},
      {"\"muniment.class\":\"postgres\"", "\"muniment.class\":{}", "Labels"},
      {"\"com.docker.compose.project\":\"plat\"", "\"com.docker.compose.project\":1", "Labels"},
      {"2026-11-22T10:00:01.25Z", "yesterday", "StartedAt"},
      {"\"Name\":\"/plat-postgres-1\"", "\"Name\":[]", "Name"},
      {"sha256:b", "sha256:/../b", "Image"},
      {"{\"Id\":\"a", "{\"Id\":\"A", "Id"},
      {"{\"Id\":\"a", "{\"Id\":\"", "Id"},
  };
  for (const Case& one : cases) {
    const auto inspected = inspected_from_json(replaced(kDockerInspect, one.old, one.by));
    ASSERT_FALSE(inspected) << one.old << " -> " << one.by;
    EXPECT_EQ(inspected.error().code, ErrorCode::kUnavailable);
    EXPECT_NE(inspected.error().message.find(one.names), std::string::npos)
        << inspected.error().message;
    EXPECT_EQ(inspected.error().message.find("canary"), std::string::npos);
  }
  EXPECT_FALSE(containers_from_json("{}"));
  EXPECT_FALSE(containers_from_json("[[]]"));
  EXPECT_FALSE(containers_from_json(replaced(kDockerList, std::string(64, 'f'), kId)));
}

TEST(EngineJson, SurvivesDepthHugeNumbersAndBytesThatAreNoText) {
  const std::string deep(2'000'000, '[');
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  for (const std::string& text :
       {deep, deep + std::string(2'000'000, ']'), objects, std::string(), std::string("\0", 1),
        std::string("[{\"Id\":\"\xff\xfe\"}]"), std::string("\xef\xbb\xbf[}"),
        std::string("[1e999]"), std::string("[99999999999999999999999999]"),
        std::string("\"\\ud800\"")}) {
    EXPECT_FALSE(containers_from_json(text)) << text.substr(0, 40);
    EXPECT_FALSE(inspected_from_json(text));
    EXPECT_FALSE(version_from_json(text));
    EXPECT_FALSE(exec_state_from_json(text));
  }
  // Brackets within text open nothing.
  const std::string quoted = replaced(kDockerInspect, "canary-1", std::string(500, '[') + "\\\"{");
  EXPECT_TRUE(inspected_from_json(quoted));
}

TEST(EngineJson, NeverTakesACutAnswerForAWholeOne) {
  for (std::size_t cut = 0; cut < kDockerInspect.size(); ++cut) {
    ASSERT_FALSE(inspected_from_json(kDockerInspect.substr(0, cut))) << cut;
  }
  for (std::size_t cut = 0; cut < kDockerList.size(); ++cut) {
    ASSERT_FALSE(containers_from_json(kDockerList.substr(0, cut))) << cut;
  }
}

TEST(EngineJson, KeepsAnIdentityWholeWhateverIsFlipped) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  int taken = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text = kDockerInspect;
    for (std::size_t i = generator.between(1, 3); i > 0; --i) {
      text[generator.below(text.size())] = static_cast<char>(generator.below(256));
    }
    const auto inspected = inspected_from_json(text);
    if (!inspected) continue;
    ++taken;
    const std::string& id = inspected->observed.container_id();
    ASSERT_EQ(id.size(), 64U);
    ASSERT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
    ASSERT_FALSE(inspected->observed.state().empty());
    // A flip may make a label or a name one that is kept, never a value of the environment.
    for (const auto& name : inspected->observed.environment_names()) {
      ASSERT_TRUE(name == "BARE" || name.find('=') == std::string::npos);
    }
  }
  EXPECT_GT(taken, 50);
}

TEST(EngineJson, ReadsVersionsOfBothEngines) {
  const auto docker = version_from_json(
      R"({"Platform":{"Name":""},"Components":[{"Name":"Engine","Version":"20.10.24+dfsg1","Details":{}}],)"
      R"("Version":"20.10.24+dfsg1","ApiVersion":"1.41","MinAPIVersion":"1.12"})");
  ASSERT_TRUE(docker) << docker.error().message;
  EXPECT_EQ(docker->name, "docker");
  EXPECT_EQ(docker->version, "20.10.24+dfsg1");
  EXPECT_EQ(docker->api_version, "1.41");
  EXPECT_EQ(docker->least_api_version, "1.12");
  const auto podman = version_from_json(
      R"({"Components":[{"Name":"Podman Engine","Version":"4.3.1"},{"Name":"Conmon"}],)"
      R"("Version":"4.3.1","ApiVersion":"1.41"})");
  ASSERT_TRUE(podman);
  EXPECT_EQ(podman->name, "podman");
  EXPECT_EQ(podman->least_api_version, "");
  EXPECT_FALSE(version_from_json(R"({"Version":"1","ApiVersion":1.41})"));
  EXPECT_FALSE(version_from_json(R"({"Version":"1"})"));
  EXPECT_FALSE(version_from_json(R"({"Version":"1","ApiVersion":"1.41","Components":[1]})"));
}

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bits;
  for (const char c : bytes) {
    for (int i = 7; i >= 0; --i)
      bits += ((static_cast<unsigned char>(c) >> i) & 1) != 0 ? '1' : '0';
  }
  while (bits.size() % 6 != 0) bits += '0';
  std::string text;
  for (std::size_t i = 0; i < bits.size(); i += 6) {
    text += kDigits[std::stoul(bits.substr(i, 6), nullptr, 2)];
  }
  while (text.size() % 4 != 0) text += '=';
  return text;
}

TEST(EngineJson, DecodesBase64AsItWasWritten) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (std::size_t size = 0; size < 200; ++size) {
    const std::string bytes = generator.bytes(size);
    std::string text = base64(bytes);
    ASSERT_EQ(base64_decoded(text), bytes);
    for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
    while (text.ends_with('=')) text.pop_back();
    ASSERT_EQ(base64_decoded(text), bytes);
  }
  for (const char* const wrong : {"a", "abcde", "ab=c", "a===", "ab c", "abc\n", "a\x80zz"}) {
    EXPECT_FALSE(base64_decoded(wrong)) << wrong;
  }
}

TEST(EngineJson, ReadsWhatAPathIs) {
  struct Case {
    std::uint64_t go_mode;
    v1::PathKind kind;
    std::uint32_t mode;
  };
  for (const Case& one : {Case{0x80000000U | 0755U, v1::PATH_KIND_DIRECTORY, 0755},
                          Case{0x80000000U | 0x00100000U | 0777U, v1::PATH_KIND_DIRECTORY, 01777},
                          Case{0640, v1::PATH_KIND_REGULAR, 0640},
                          Case{0x00800000U | 0x00400000U | 0755U, v1::PATH_KIND_REGULAR, 06755},
                          Case{0x08000000U | 0777U, v1::PATH_KIND_SYMLINK, 0777},
                          Case{0x04200000U | 0666U, v1::PATH_KIND_OTHER, 0666},
                          Case{0x02000000U | 0600U, v1::PATH_KIND_OTHER, 0600},
                          Case{0x01000000U | 0600U, v1::PATH_KIND_OTHER, 0600}}) {
    const auto path = path_from_header(
        base64(R"({"name":"data","size":4096,"mode":)" + std::to_string(one.go_mode) +
               R"(,"mtime":"2026-11-22T10:00:00Z","linkTarget":"/there"})"));
    ASSERT_TRUE(path) << path.error().message;
    EXPECT_EQ(path->kind, one.kind) << one.go_mode;
    EXPECT_EQ(path->mode, one.mode) << one.go_mode;
    EXPECT_EQ(path->size_bytes, 4096U);
    EXPECT_EQ(path->link_target, one.kind == v1::PATH_KIND_SYMLINK ? "/there" : "");
  }
  for (const char* const wrong : {R"({"size":1})", R"({"mode":420})", R"({"size":-1,"mode":420})",
                                  R"({"size":1,"mode":4294967296})", R"({"size":1,"mode":1e3})",
                                  R"({"size":1,"mode":420,"linkTarget":1})", "[]", ""}) {
    EXPECT_FALSE(path_from_header(base64(wrong))) << wrong;
  }
  EXPECT_FALSE(path_from_header("***"));
}

TEST(EngineJson, ReadsVolumesAndImages) {
  const auto volume = volume_from_json(
      R"({"CreatedAt":"x","Driver":"local","Labels":null,"Mountpoint":"/m/_data","Name":"v","Options":null})");
  ASSERT_TRUE(volume);
  EXPECT_EQ(volume->name + volume->driver + volume->mountpoint, "vlocal/m/_data");
  EXPECT_FALSE(volume_from_json(R"({"Name":""})"));
  const auto image = image_from_json(R"({"RepoTags":["a:1","b:2"],"RepoDigests":null})");
  ASSERT_TRUE(image);
  EXPECT_EQ(image->tags, (std::vector<std::string>{"a:1", "b:2"}));
  EXPECT_TRUE(image->digests.empty());
  EXPECT_FALSE(image_from_json(R"({"RepoTags":[1]})"));
}

TEST(EngineJson, BelievesAnExitCodeOfAnEndedExecAlone) {
  const auto code = [](const std::string& text) {
    const auto state = exec_state_from_json(text);
    return state ? state->exit_code : std::optional(-100);
  };
  EXPECT_EQ(code(R"({"Running":false,"ExitCode":0})"), 0);
  EXPECT_EQ(code(R"({"Running":false,"ExitCode":255})"), 255);
  for (const char* const none :
       {R"({"Running":true,"ExitCode":0})", R"({"Running":false})",
        R"({"Running":false,"ExitCode":null})", R"({"Running":false,"ExitCode":-1})",
        R"({"Running":false,"ExitCode":256})",
        R"({"Running":false,"ExitCode":18446744073709551615})"}) {
    EXPECT_EQ(code(none), std::nullopt) << none;
  }
  for (const char* const wrong :
       {R"({"ExitCode":0})", R"({"Running":0,"ExitCode":0})", R"({"Running":false,"ExitCode":"0"})",
        R"({"Running":false,"ExitCode":0.5})"}) {
    EXPECT_EQ(code(wrong), -100) << wrong;
  }
}

TEST(EngineJson, WritesAnExecThatReadsAsWasMeant) {
  const auto body =
      exec_body({{"sh", "-c", "echo \"$1\"\n"}, {{"K", "v=w"}}, "postgres", true, true});
  ASSERT_TRUE(body);
  EXPECT_EQ(
      *body,
      R"({"AttachStderr":true,"AttachStdin":true,"AttachStdout":true,"Cmd":["sh","-c","echo \"$1\"\n"],)"
      R"("Env":["K=v=w"],"Tty":false,"User":"postgres"})");
  const auto bad_argument = exec_body({{"sh", "\xff"}, {}, "", false, true});
  const auto bad_value = exec_body({{"sh"}, {{"K", std::string("a\0b", 3)}}, "", false, true});
  ASSERT_FALSE(bad_argument);
  ASSERT_FALSE(bad_value);
  EXPECT_EQ(bad_value.error().code, ErrorCode::kInvalid);
}

TEST(EngineJson, FindsTheWordsOfAnError) {
  EXPECT_EQ(error_text_of(R"({"message":"No such container: x"})"), "No such container: x");
  EXPECT_EQ(error_text_of(R"({"cause":"c","message":"m","response":500})"), "m");
  EXPECT_EQ(error_text_of("page not found\n"), "page not found");
  EXPECT_EQ(error_text_of(R"({"message":7})"), R"({"message":7})");
  EXPECT_EQ(error_text_of(""), "");
}

}  // namespace
}  // namespace muniment
