// What goes into a command and what is copied out of a container.
#include <gtest/gtest.h>

#include <cstring>

#include "recorder/world/engine/engine_control.h"
#include "tests/support/fake_engine.h"
#include "tests/support/generator.h"

namespace muniment {
namespace {

using std::chrono::milliseconds;

const std::string kId(64, 'a');
const std::string kExec(64, 'e');
const std::string kContainer = "/v1.41/containers/" + kId;
const std::string kStart = "POST /v1.41/exec/" + kExec + "/start";
const std::string kPid = fake_frame(2, "muniment-pid 7\n");

// An engine with a container in which one command runs and ends with code 0.
struct Scene {
  Scene() {
    engine.on(
        "GET " + kContainer + "/json",
        reply_json(200,
                   R"({"Id":")" + kId +
                       R"(","Image":"","Name":"/db","State":{"Status":"running"},"Config":{}})"));
    engine.on("POST " + kContainer + "/exec", reply_json(201, R"({"Id":")" + kExec + "\"}"));
    engine.on("GET /v1.41/exec/" + kExec + "/json",
              reply_json(200, R"({"Running":false,"ExitCode":0})"));
    limits.connect = limits.answer = milliseconds(250);
    limits.settle = milliseconds(50);
    control = std::move(*EngineControl::connect(engine.address(), limits));
  }

  Result<ExecResult> run_with(const std::string& input) {
    std::size_t at = 0;
    ExecStreams streams;
    streams.in = [&](char* room, std::size_t size) -> Result<std::size_t> {
      const std::size_t taken = input.copy(room, size, at);
      at += taken;
      return taken;
    };
    return control->run({kId, {"psql"}, {}, "", std::chrono::seconds(60)}, streams);
  }

  Status copy(std::string& copied, const std::function<bool()>& stop = [] { return false; }) {
    return control->copy_out(
        kId, "/da ta",
        [&](std::string_view piece) -> Status {
          copied += piece;
          return {};
        },
        stop);
  }

  FakeEngine engine;
  EngineLimits limits;
  std::unique_ptr<EngineControl> control;
};

TEST(EngineTransfer, GivesStandardInputWholeAndThenItsEnd) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{700'000}}) {
    Scene scene;
    const std::string input = generator.bytes(size);
    scene.engine.on(kStart, reply_stream(101, kPid) + FakeReply{read_input()});
    const Result<ExecResult> result = scene.run_with(input);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_TRUE(result->ok()) << result->detail;
    EXPECT_TRUE(scene.engine.input() == input) << size;
  }
}

TEST(EngineTransfer, SaysThatACommandLeftItsInput) {
  Scene scene;
  scene.engine.on(kStart, reply_stream(101, kPid));
  const Result<ExecResult> result = scene.run_with(std::string(5'000'000, 'x'));
  ASSERT_TRUE(result) << result.error().message;
  // Closed with input unread, a unix socket may also break.
  EXPECT_TRUE(result->end == ExecEnd::kBrokenStream ||
              result->detail.find("before it had read all") != std::string::npos)
      << result->detail;
}

TEST(EngineTransfer, EndsACommandWhoseInputFails) {
  Scene scene;
  scene.engine.on(kStart, reply_stream(101, kPid) + FakeReply{hang()});
  ExecStreams streams;
  streams.in = [](char*, std::size_t) -> Result<std::size_t> {
    return fail(ErrorCode::kIo, "cannot be read");
  };
  const auto result =
      scene.control->run({kId, {"psql"}, {}, "", std::chrono::seconds(60)}, streams);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->end, ExecEnd::kStopped);
}

TEST(EngineTransfer, TellsAStartThatIsNeverAnsweredFromOneThatWasNot) {
  for (const FakeReply& odd : {FakeReply(), FakeReply{hang()}, reply_raw("HTTP/1.1 101 UPGR"),
                               reply_raw("garbage\r\n\r\n"), reply_raw(std::string(70'000, 'x')),
                               reply_raw("HTTP/1.1 1o1 X\r\n\r\n")}) {
    Scene scene;
    scene.engine.on(kStart, odd);
    scene.engine.on("GET /v1.41/exec/" + kExec + "/json",
                    reply_json(200, R"({"Running":true,"ExitCode":null})"));
    const Result<ExecResult> result = scene.run_with("");
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->end, ExecEnd::kEngineLost);
    EXPECT_TRUE(result->orphan_possible);
  }
}

TEST(EngineTransfer, CopiesAPathOut) {
  Scene scene;
  scene.engine.on("GET " + kContainer + "/archive", reply_chunks({"ab", "cd", "e"}, true));
  std::string copied;
  const Status status = scene.copy(copied);
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(copied, "abcde");
  EXPECT_EQ(scene.engine.requests().back().query, "path=%2Fda%20ta");
  scene.engine.on("GET " + kContainer + "/archive", reply_json(200, "tar"));
  EXPECT_TRUE(scene.copy(copied));
}

TEST(EngineTransfer, NeverTakesAHalfCopyForAWholeOne) {
  struct Case {
    FakeReply reply;
    ErrorCode code;
  };
  const std::string head = "HTTP/1.1 200 OK\r\n";
  for (const Case& one :
       {Case{reply_chunks({"ab", "cd"}, false), ErrorCode::kUnavailable},
        Case{reply_chunks({}, false), ErrorCode::kUnavailable},
        Case{reply_raw(head + "Content-Length: 9\r\n\r\nab"), ErrorCode::kUnavailable},
        Case{reply_raw(head + "\r\nab"), ErrorCode::kUnavailable},
        Case{reply_raw(head + "\r\n"), ErrorCode::kUnavailable},
        Case{reply_chunks({"ab"}, false) + FakeReply{hang()}, ErrorCode::kUnavailable},
        Case{reply_json(404, R"({"message":"no such path"})"), ErrorCode::kNotFound},
        Case{reply_json(409, "{}"), ErrorCode::kBusy},
        Case{reply_json(500, "{}"), ErrorCode::kUnavailable},
        Case{FakeReply(), ErrorCode::kUnavailable}}) {
    Scene scene;
    scene.engine.on("GET " + kContainer + "/archive", one.reply);
    std::string copied;
    const Status status = scene.copy(copied);
    ASSERT_FALSE(status) << one.reply.size();
    EXPECT_EQ(status.error().code, one.code) << status.error().message;
    EXPECT_EQ(copied.find("message"), std::string::npos);
  }
}

TEST(EngineTransfer, StopsACopyOnRequestAndWithWhoTakes) {
  Scene scene;
  scene.engine.on("GET " + kContainer + "/archive",
                  reply_chunks({"ab"}, false) + FakeReply{hang()});
  std::string copied;
  const Status stopped = scene.copy(copied, [] { return true; });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);
  const Status refused = scene.control->copy_out(
      kId, "/x", [](std::string_view) { return Status(fail(ErrorCode::kIo, "the disk is full")); },
      [] { return false; });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kIo);
  EXPECT_EQ(refused.error().message, "the disk is full");
}

}  // namespace
}  // namespace muniment
