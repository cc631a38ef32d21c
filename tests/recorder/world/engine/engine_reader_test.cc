#include "recorder/world/engine/engine_reader.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <type_traits>

#include "recorder/world/engine/api_version.h"
#include "recorder/world/engine/engine_http.h"
#include "tests/support/fake_engine.h"

namespace muniment {
namespace {

using std::chrono::milliseconds;

const std::string kId(64, 'a');

EngineLimits short_limits() {
  EngineLimits limits;
  limits.connect = milliseconds(300);
  limits.answer = milliseconds(300);
  limits.most_answer_bytes = 4096;
  return limits;
}

std::string inspected(const std::string& id) {
  return R"({"Id":")" + id +
         R"(","Image":"","Name":"/db","State":{"Status":"running"},"Config":{}})";
}

std::string version(const std::string& own, const std::string& least) {
  return R"({"Version":"1","ApiVersion":")" + own + R"(","MinAPIVersion":")" + least + R"("})";
}

// The error that an answer to the list becomes.
Error error_of_list(const FakeReply& reply) {
  FakeEngine engine;
  engine.on("GET /v1.41/containers/json", reply);
  auto reader = EngineReader::connect(engine.address(), short_limits());
  if (!reader) return {ErrorCode::kInvalid, "not connected: " + reader.error().message};
  const auto listed = (*reader)->list();
  if (listed) return {ErrorCode::kInvalid, "listed"};
  EXPECT_NE(listed.error().message.find(engine.address().socket), std::string::npos);
  EXPECT_NE(listed.error().message.find("GET /v1.41/containers/json of"), std::string::npos);
  EXPECT_NE(listed.error().message.find("; "), std::string::npos);
  return listed.error();
}

void expect_error(const Error& error, ErrorCode code, const std::string& words) {
  EXPECT_EQ(error.code, code) << error.message;
  EXPECT_NE(error.message.find(words), std::string::npos) << error.message;
}

TEST(EngineReader, SaysWhatTheEngineIs) {
  FakeEngine engine;
  const auto reader = EngineReader::connect(engine.address());
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ((*reader)->facts().name(), "docker");
  EXPECT_EQ((*reader)->facts().version(), "20.10.24");
  EXPECT_EQ((*reader)->facts().api_version(), "1.41");
}

TEST(EngineReader, AgreesOnAVersionOrRefuses) {
  struct Case {
    const char* own;
    const char* least;
    const char* chosen;  // empty: refused
  };
  for (const Case& one :
       {Case{"1.41", "1.12", "1.41"}, Case{"1.40", "1.12", "1.40"}, Case{"1.39", "1.12", ""},
        Case{"1.9", "1.1", ""}, Case{"1.47", "1.24", "1.41"}, Case{"1.52", "1.44", "1.44"},
        Case{"1.52", "1.41", "1.41"}, Case{"1.41", "", "1.41"}, Case{"2.0", "1.44", "1.44"},
        Case{"1.41", "1.42", ""}, Case{"1.x", "1.12", ""}, Case{"1.041", "", ""},
        Case{"99999.1", "", ""}, Case{"1", "", ""}}) {
    FakeEngine engine;
    engine.on("GET /_ping", reply_json(200, "OK"));
    engine.on("GET /version", reply_json(200, version(one.own, one.least)));
    const auto reader = EngineReader::connect(engine.address(), short_limits());
    ASSERT_EQ(reader.has_value(), *one.chosen != '\0') << one.own << " " << one.least;
    if (reader) {
      EXPECT_EQ((*reader)->facts().api_version(), one.chosen);
      engine.on("GET /v" + std::string(one.chosen) + "/containers/json", reply_json(200, "[]"));
      EXPECT_TRUE((*reader)->list());
    } else {
      EXPECT_EQ(reader.error().code, ErrorCode::kUnavailable);
    }
  }
  // The header of the ping says it where it is there.
  FakeEngine engine;
  engine.on("GET /version", reply_json(200, version("1.40", "1.12")));
  const auto reader = EngineReader::connect(engine.address(), short_limits());
  ASSERT_TRUE(reader);
  EXPECT_EQ((*reader)->facts().api_version(), "1.41");
}

TEST(EngineReader, ReadsAndNothingElse) {
  FakeEngine engine;
  const std::string archive = "/v1.41/containers/" + kId + "/archive";
  engine.on("GET /v1.41/containers/json", reply_json(200, "[]"));
  engine.on("GET /v1.41/containers/" + kId + "/json", reply_json(200, inspected(kId)));
  engine.on("HEAD " + archive,
            reply_raw("HTTP/1.1 200 OK\r\nx-docker-container-path-STAT: "
                      "eyJzaXplIjo3LCJtb2RlIjo0MjB9\r\nConnection: close\r\n\r\n"));
  engine.on("GET /v1.41/volumes/a%20b", reply_json(200, R"({"Name":"a b","Mountpoint":"/m"})"));
  engine.on("GET /v1.41/images/" + kId + "/json", reply_json(200, R"({"RepoTags":["t"]})"));
  const auto reader = EngineReader::connect(engine.address(), short_limits());
  ASSERT_TRUE(reader);
  EXPECT_TRUE((*reader)->list());
  const auto container = (*reader)->inspect(kId);
  ASSERT_TRUE(container) << container.error().message;
  EXPECT_EQ(container->observed.name(), "db");
  const auto path = (*reader)->stat_path(kId, "/da ta/?x&y");
  ASSERT_TRUE(path && *path);
  EXPECT_EQ((*path)->size_bytes, 7U);
  EXPECT_EQ((*path)->kind, v1::PATH_KIND_REGULAR);
  const auto volume = (*reader)->volume("a b");
  ASSERT_TRUE(volume && *volume);
  EXPECT_EQ((*volume)->mountpoint, "/m");
  const auto image = (*reader)->image("sha256:" + kId);
  ASSERT_TRUE(image);
  EXPECT_EQ(image->tags.size(), 1U);

  std::string queries;
  for (const FakeRequest& request : engine.requests()) {
    EXPECT_TRUE(request.method == "GET" || request.method == "HEAD") << request.head;
    EXPECT_NE(request.head.find("Host: docker\r\n"), std::string::npos) << request.head;
    queries += request.query + "\n";
  }
  EXPECT_EQ(queries, "\n\nall=1\n\npath=%2Fda%20ta%2F%3Fx%26y\n\n\n");
}

TEST(EngineReader, TellsWhatIsNotThereFromATrouble) {
  FakeEngine engine;
  const std::string container = "/v1.41/containers/" + kId;
  const auto reader = EngineReader::connect(engine.address(), short_limits());
  ASSERT_TRUE(reader);
  const auto gone = (*reader)->inspect(kId);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::kNotFound);
  const auto path_of_gone = (*reader)->stat_path(kId, "/data");
  ASSERT_FALSE(path_of_gone);
  EXPECT_EQ(path_of_gone.error().code, ErrorCode::kNotFound);
  engine.on("GET " + container + "/json", reply_json(200, inspected(kId)));
  const auto no_path = (*reader)->stat_path(kId, "/data");
  ASSERT_TRUE(no_path) << no_path.error().message;
  EXPECT_FALSE(*no_path);

  const auto none = (*reader)->volume("v");
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  engine.on("GET /v1.41/volumes/v", reply_json(200, R"({"Name":"v-of-a-longer-name"})"));
  const auto other = (*reader)->volume("v");
  ASSERT_TRUE(other);
  EXPECT_FALSE(*other);
  engine.on("GET /v1.41/volumes/v", reply_json(500, R"({"message":"broken \u001b"})"));
  const auto broken = (*reader)->volume("v");
  ASSERT_FALSE(broken);
  expect_error(broken.error(), ErrorCode::kUnavailable, "it answered 500 (broken \\x1B)");
  const std::size_t asked = engine.requests().size();
  for (const char* const name : {"", ".", "..", "a/b"}) {
    const auto impossible = (*reader)->volume(name);
    ASSERT_TRUE(impossible);
    EXPECT_FALSE(*impossible);
  }
  EXPECT_EQ(engine.requests().size(), asked);
}

TEST(EngineReader, PutsNothingButAnIdIntoAUrl) {
  FakeEngine engine;
  const auto reader = EngineReader::connect(engine.address(), short_limits());
  ASSERT_TRUE(reader);
  const std::size_t asked = engine.requests().size();
  for (const std::string& wrong :
       {std::string(), std::string("db"), std::string("../x"), std::string(64, 'A'),
        std::string(63, 'a'), kId + "a", std::string(63, 'a') + "\n"}) {
    EXPECT_EQ((*reader)->inspect(wrong).error().code, ErrorCode::kInvalid);
    EXPECT_EQ((*reader)->stat_path(wrong, "/").error().code, ErrorCode::kInvalid);
    EXPECT_EQ((*reader)->image(wrong).error().code, ErrorCode::kInvalid);
  }
  EXPECT_EQ(engine.requests().size(), asked);
}

TEST(EngineReader, RefusesAnAnswerAboutAnotherContainer) {
  FakeEngine engine;
  engine.on("GET /v1.41/containers/" + kId + "/json",
            reply_json(200, inspected(std::string(64, 'c'))));
  const auto reader = EngineReader::connect(engine.address(), short_limits());
  ASSERT_TRUE(reader);
  const auto other = (*reader)->inspect(kId);
  ASSERT_FALSE(other);
  expect_error(other.error(), ErrorCode::kUnavailable, "about another container");
}

TEST(EngineReader, NamesEachWayInWhichAnAnswerFails) {
  const ErrorCode down = ErrorCode::kUnavailable;
  expect_error(error_of_list({hang()}), down, "timed out after 300 ms");
  expect_error(error_of_list(reply_raw("HTTP/1.1 200 OK\r\nContent-Le") + FakeReply{hang()}), down,
               "timed out");
  expect_error(error_of_list({}), down, "without an answer");
  expect_error(error_of_list(reply_raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[]")), down,
               "broke off");
  expect_error(error_of_list(reply_chunks({"[", "]"}, false)), down, "broke off");
  expect_error(error_of_list(reply_raw("SSH-2.0-OpenSSH_9.2\r\n")), down, "malformed");
  expect_error(
      error_of_list(reply_raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")), down,
      "malformed");
  expect_error(error_of_list(reply_json(200, "[{]")), down, "is no JSON");
  expect_error(error_of_list(reply_json(200, "<html>")), down, "is no JSON");
  expect_error(error_of_list(reply_json(200, std::string(4097, ' '))), down,
               "larger than 4096 bytes");
  expect_error(
      error_of_list(reply_chunks(std::vector<std::string>(5, std::string(1000, ' ')), true)), down,
      "larger than 4096 bytes");
  expect_error(error_of_list(reply_json(403, "Forbidden")), down, "proxy");
  expect_error(error_of_list(reply_json(301, "", "Location: /elsewhere\r\n")), down, "301");
  expect_error(error_of_list(reply_json(204, "")), down, "204");
  expect_error(error_of_list(reply_json(200, std::string(4096, ' '))), down, "is no JSON");
}

TEST(EngineReader, TakesAWholeAnswerInPieces) {
  FakeEngine engine;
  engine.on("GET /v1.41/containers/json", reply_chunks({"[", " ", "]"}, true));
  const auto reader = EngineReader::connect(engine.address(), short_limits());
  ASSERT_TRUE(reader);
  EXPECT_TRUE((*reader)->list());
}

TEST(EngineReader, NamesEachWayInWhichASocketFails) {
  TempDir dir;
  const auto missing = EngineReader::connect({dir / "none.sock", "test"}, short_limits());
  ASSERT_FALSE(missing);
  expect_error(missing.error(), ErrorCode::kUnavailable, "there is no such socket");
  FakeEngine engine;
  const auto reader = EngineReader::connect(engine.address(), short_limits());
  ASSERT_TRUE(reader);
  engine.die();
  const auto dead = (*reader)->list();
  ASSERT_FALSE(dead);
  expect_error(dead.error(), ErrorCode::kUnavailable, "nobody listens");
  expect_error(dead.error(), ErrorCode::kUnavailable, engine.address().socket);
}

TEST(EngineReader, SaysWhoMayUseASocketThatItMayNot) {
  const EngineRequest request{"/", "GET", "/_ping"};
  const Error denied = connect_trouble(request, EACCES);
  expect_error(denied, ErrorCode::kUnavailable, "it belongs to user root and group root");
  const Error hidden = connect_trouble({"/nowhere/engine.sock", "GET", "/_ping"}, EACCES);
  expect_error(hidden, ErrorCode::kUnavailable, "folder may not be entered");
  expect_error(connect_trouble(request, EAGAIN), ErrorCode::kUnavailable, "hangs or is overloaded");
  expect_error(connect_trouble(request, ENAMETOOLONG), ErrorCode::kUnavailable, "too long");
}

TEST(EngineHttp, EncodesAllButPlainCharacters) {
  std::string all;
  for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
  const std::string encoded = url_encoded(all);
  std::string decoded;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] != '%') {
      decoded += encoded[i];
      continue;
    }
    decoded += static_cast<char>(std::stoi(encoded.substr(i + 1, 2), nullptr, 16));
    i += 2;
  }
  EXPECT_EQ(decoded, all);
  EXPECT_EQ(encoded.find_first_of("/?#&+= \n\"{}[]:"), std::string::npos);
  EXPECT_EQ(url_encoded("aZ09-_.~"), "aZ09-_.~");
}

}  // namespace
}  // namespace muniment
