#include "recorder/world/engine/engine_control.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>

#include "tests/support/fake_engine.h"

namespace muniment {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string kId(64, 'a');
const std::string kExec(64, 'e');
const std::string kSignal(64, 'f');
const std::string kContainer = "/v1.41/containers/" + kId;
const std::string kPid = fake_frame(2, "muniment-pid 7\n");

std::string container(const std::string& state,
                      const std::string& started = "2026-11-22T10:00:00Z") {
  return R"({"Id":")" + kId + R"(","Image":"","Name":"/db","State":{"Status":")" + state +
         R"(","StartedAt":")" + started + R"("},"Config":{}})";
}

FakeReply exec_says(const std::string& running, const std::string& code) {
  return reply_json(200, R"({"Running":)" + running + R"(,"ExitCode":)" + code + "}");
}

// What a run gave.
struct Ran {
  Result<ExecResult> result;
  std::string out;
  std::string err;
};

// An engine with one running container, in which a command is run.
struct Scene {
  Scene() {
    limits.connect = limits.answer = milliseconds(250);
    limits.settle = milliseconds(100);
    engine.on("GET " + kContainer + "/json", reply_json(200, container("running")));
    engine.on("POST " + kContainer + "/exec", {reply_json(201, R"({"Id":")" + kExec + "\"}"),
                                               reply_json(201, R"({"Id":")" + kSignal + "\"}")});
    engine.on("POST /v1.41/exec/" + kSignal + "/start", reply_json(200, ""));
    ends(exec_says("false", "0"));
  }
  void streams(const FakeReply& reply) { engine.on("POST /v1.41/exec/" + kExec + "/start", reply); }
  void ends(const FakeReply& reply) { ends(std::vector<FakeReply>(1, reply)); }
  void ends(const std::vector<FakeReply>& replies) {
    engine.on("GET /v1.41/exec/" + kExec + "/json", replies);
  }

  Ran run(seconds stall = seconds(5), const std::function<void(ExecStreams&)>& adjust = {}) {
    Ran ran;
    auto control = EngineControl::connect(engine.address(), limits);
    if (!control) {
      ran.result = std::unexpected(control.error());
      return ran;
    }
    ExecStreams streams;
    streams.out = [&](std::string_view piece) -> Status {
      ran.out += piece;
      return {};
    };
    streams.err = [&](std::string_view piece) -> Status {
      ran.err += piece;
      return {};
    };
    if (adjust) adjust(streams);
    ran.result = (*control)->run(request, streams, stall);
    return ran;
  }
  // The end of a run with this stream.
  ExecResult end_of(const FakeReply& stream, seconds stall = seconds(5)) {
    streams(stream);
    Ran ran = run(stall);
    EXPECT_TRUE(ran.result) << ran.result.error().message;
    return ran.result ? *ran.result : ExecResult{};
  }

  FakeEngine engine;
  EngineLimits limits;
  ExecRequest request{kId, {"pg_dump", "-Fc"}, {{"PGPASSWORD", "canary"}}, "postgres", seconds(60)};
};

TEST(EngineControl, RunsACommandToItsEndOverBothAnswers) {
  for (const int status : {101, 200}) {
    Scene scene;
    scene.streams(reply_stream(status, kPid.substr(0, 11)) + FakeReply{pause_for(milliseconds(5))} +
                  reply_raw(kPid.substr(11) + fake_frame(1, "PGDMP") + fake_frame(2, "note\n") +
                            fake_frame(1, "tail")));
    const Ran ran = scene.run();
    ASSERT_TRUE(ran.result) << ran.result.error().message;
    EXPECT_TRUE(ran.result->ok()) << ran.result->detail;
    EXPECT_EQ(ran.result->pid_line, "7");
    EXPECT_FALSE(ran.result->orphan_possible);
    EXPECT_EQ(ran.out, "PGDMPtail");
    EXPECT_EQ(ran.err, "note\n");
    EXPECT_EQ(scene.engine.count("POST " + kContainer), 1U);
  }
}

TEST(EngineControl, KeepsSecretsOutOfTheCommandLine) {
  Scene scene;
  EXPECT_TRUE(scene.end_of(reply_stream(101, kPid)).ok());
  std::string created;
  for (const FakeRequest& request : scene.engine.requests()) {
    EXPECT_EQ((request.head + request.query).find("canary"), std::string::npos);
    if (request.path == kContainer + "/exec") created = request.body;
  }
  const std::size_t env = created.find(R"("Env":["PGPASSWORD=canary"])");
  ASSERT_NE(env, std::string::npos) << created;
  EXPECT_EQ(created.find("canary"), created.rfind("canary"));
  EXPECT_NE(created.find(R"("muniment","60","pg_dump","-Fc"])"), std::string::npos) << created;
  EXPECT_NE(created.find(R"("User":"postgres")"), std::string::npos);
  EXPECT_NE(created.find(R"("Tty":false)"), std::string::npos);
  EXPECT_NE(created.find(R"("AttachStdin":false)"), std::string::npos);
}

TEST(EngineControl, TakesThePidLineOffWhereverItIsSplit) {
  const std::string first = "muniment-pid 4711\nreal words\n";
  for (std::size_t cut = 1; cut < first.size(); ++cut) {
    Scene scene;
    scene.streams(reply_stream(101, fake_frame(2, first.substr(0, cut)) + fake_frame(1, "x") +
                                        fake_frame(2, first.substr(cut))));
    const Ran ran = scene.run();
    ASSERT_TRUE(ran.result);
    ASSERT_EQ(ran.result->pid_line, "4711") << cut;
    ASSERT_EQ(ran.err, "real words\n") << cut;
  }
  for (const std::string& other :
       {std::string("muniment-pid x\nwords"), std::string("muniment-pid"), std::string("mun"),
        std::string("error\n"), std::string("muniment-pid 0\n"),
        "muniment-pid " + std::string(100, '1') + "\n"}) {
    Scene scene;
    scene.streams(reply_stream(101, fake_frame(2, other)));
    scene.ends(exec_says("false", "1"));
    const Ran ran = scene.run();
    ASSERT_TRUE(ran.result);
    EXPECT_EQ(ran.result->pid_line, "");
    EXPECT_EQ(ran.err, other);
  }
}

TEST(EngineControl, BelievesACodeZeroOnlyBehindASignThatItBegan) {
  Scene scene;
  const ExecResult result = scene.end_of(reply_stream(101, ""));
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(result.end, ExecEnd::kBrokenStream);
}

TEST(EngineControl, JudgesByTheExitCodeAndTheWords) {
  struct Case {
    const char* code;
    std::string stream;
    ExecEnd end;
  };
  const std::string docker = fake_frame(
      1, "OCI runtime exec failed: exec: \"sh\": executable file not found in $PATH: unknown\r\n");
  const std::vector<Case> cases = {
      {"1", kPid, ExecEnd::kExited},
      {"124", kPid, ExecEnd::kTimedOut},
      {"126", docker, ExecEnd::kToolMissing},
      {"127", kPid + fake_frame(2, "sh: 1: exec: pg_dump: not found\n"), ExecEnd::kToolMissing},
      {"127",
       kPid + fake_frame(2, "timeout: failed to run command 'x': No such file or directory\n"),
       ExecEnd::kToolMissing},
      {"126", kPid + fake_frame(2, "timeout: failed to run command 'x': Permission denied\n"),
       ExecEnd::kToolMissing},
      {"127", kPid + fake_frame(2, "assertion failed\n"), ExecEnd::kExited},
      {"1", kPid + fake_frame(2, "relation not found\n"), ExecEnd::kExited},
      {"137", kPid, ExecEnd::kExited},
      {"null", kPid, ExecEnd::kEngineLost},
      {"-1", kPid, ExecEnd::kEngineLost},
  };
  for (const Case& one : cases) {
    Scene scene;
    scene.ends(exec_says("false", one.code));
    const ExecResult result = scene.end_of(reply_stream(200, one.stream));
    EXPECT_EQ(result.end, one.end) << one.code << " " << result.detail;
    EXPECT_FALSE(result.ok());
    EXPECT_FALSE(result.orphan_possible) << one.code;
  }
}

TEST(EngineControl, CallsAKilledCommandTimedOutOnlyBehindItsLimit) {
  for (const char* const code : {"137", "143"}) {
    Scene scene;
    scene.request.limit = seconds(1);
    scene.ends(exec_says("false", code));
    const FakeReply late = reply_stream(101, kPid) + FakeReply{pause_for(milliseconds(1050))};
    EXPECT_EQ(scene.end_of(late).end, ExecEnd::kTimedOut) << code;
    Scene early;
    early.ends(exec_says("false", code));
    EXPECT_EQ(early.end_of(reply_stream(101, kPid)).end, ExecEnd::kExited) << code;
  }
}

TEST(EngineControl, NoticesThatTheContainerWent) {
  struct Case {
    FakeReply exec;
    FakeReply container;
  };
  const FakeReply unknown = reply_json(404, "{}");
  const FakeReply killed = exec_says("false", "137");
  const FakeReply restarted = reply_json(200, container("running", "2026-11-22T10:00:09Z"));
  for (const Case& one :
       {Case{killed, reply_json(200, container("exited"))}, Case{killed, unknown},
        Case{killed, restarted},
        Case{exec_says("false", "null"), reply_json(200, container("dead"))},
        Case{unknown, unknown}, Case{unknown, reply_json(200, container("exited"))}}) {
    Scene scene;
    scene.engine.on("GET " + kContainer + "/json",
                    {reply_json(200, container("running")), one.container});
    scene.ends(one.exec);
    const ExecResult result = scene.end_of(reply_stream(101, kPid + fake_frame(1, "half")));
    EXPECT_EQ(result.end, ExecEnd::kContainerGone) << result.detail;
    EXPECT_FALSE(result.orphan_possible);
  }
}

TEST(EngineControl, NoticesThatTheEngineWent) {
  {
    Scene scene;
    scene.ends(reply_json(404, "{}"));
    const ExecResult result = scene.end_of(reply_stream(101, kPid));
    EXPECT_EQ(result.end, ExecEnd::kEngineLost);
    EXPECT_TRUE(result.orphan_possible);
  }
  for (const FakeReply& odd : {FakeReply(), FakeReply{hang()}, reply_json(500, "{}"),
                               reply_json(200, "[1"), reply_json(200, R"({"ExitCode":0})")}) {
    Scene scene;
    scene.ends(odd);
    const ExecResult result = scene.end_of(reply_stream(101, kPid));
    EXPECT_EQ(result.end, ExecEnd::kEngineLost) << result.detail;
    EXPECT_TRUE(result.orphan_possible);
  }
}

TEST(EngineControl, CallsNothingDoneWhenTheEngineDiesWithTheStream) {
  Scene scene;
  scene.streams(reply_stream(101, kPid + fake_frame(1, "half")) + FakeReply{hang()});
  const Ran ran = scene.run(seconds(5), [&](ExecStreams& streams) {
    streams.out = [&](std::string_view) {
      scene.engine.die();
      return Status();
    };
  });
  ASSERT_TRUE(ran.result) << ran.result.error().message;
  EXPECT_EQ(ran.result->end, ExecEnd::kEngineLost);
  EXPECT_TRUE(ran.result->orphan_possible);
}

TEST(EngineControl, CallsAStreamBrokenWhateverTheEngineSaysBehindIt) {
  const std::string whole = kPid + fake_frame(1, "payload");
  for (std::size_t cut = kPid.size() + 1; cut < whole.size(); ++cut) {
    Scene scene;
    const ExecResult result = scene.end_of(reply_stream(101, whole.substr(0, cut)));
    ASSERT_EQ(result.end, ExecEnd::kBrokenStream) << cut;
    ASSERT_FALSE(result.orphan_possible);
  }
  for (const std::string& wrong : {kPid + fake_frame(3, "disk full"), kPid + "PGDMP-unframed",
                                   kPid + std::string("\1\0\0\0\xff\xff\xff\xff", 8)}) {
    Scene scene;
    const ExecResult result = scene.end_of(reply_stream(200, wrong));
    EXPECT_EQ(result.end, ExecEnd::kBrokenStream);
    EXPECT_EQ(result.detail.find("disk full"), std::string::npos);
  }
}

// What was sent to the process, in order.
std::string signals_of(const FakeEngine& engine) {
  std::string signals;
  for (const FakeRequest& request : engine.requests()) {
    if (request.path != kContainer + "/exec") continue;
    if (request.body.find("kill -TERM") != std::string::npos) signals += "TERM ";
    if (request.body.find("kill -KILL") != std::string::npos) signals += "KILL ";
    if (request.body.find("kill -") == std::string::npos) continue;
    EXPECT_NE(request.body.find(R"("muniment","7"])"), std::string::npos) << request.body;
    EXPECT_NE(request.body.find(R"("User":"postgres")"), std::string::npos);
  }
  return signals;
}

TEST(EngineControl, EndsASilentCommandInTheContainer) {
  Scene scene;
  scene.ends({exec_says("true", "null"), exec_says("true", "null"), exec_says("false", "143")});
  const ExecResult result = scene.end_of(reply_stream(101, kPid) + FakeReply{hang()}, seconds(1));
  EXPECT_EQ(result.end, ExecEnd::kStalled);
  EXPECT_FALSE(result.orphan_possible);
  EXPECT_EQ(signals_of(scene.engine), "TERM ");
  // The first exec, the signal's; each is started once.
  EXPECT_EQ(scene.engine.count("POST /v1.41/exec/"), 2U);
}

TEST(EngineControl, KillsWhatDoesNotEndAndSaysSoWhenNothingHelps) {
  Scene scene;
  scene.ends(exec_says("true", "null"));
  const ExecResult result = scene.end_of(reply_stream(101, kPid));
  EXPECT_EQ(result.end, ExecEnd::kStillRunning);
  EXPECT_TRUE(result.orphan_possible);
  EXPECT_EQ(signals_of(scene.engine), "TERM KILL ");

  Scene blind;
  blind.ends(exec_says("true", "null"));
  const ExecResult unseen = blind.end_of(reply_stream(101, ""));
  EXPECT_TRUE(unseen.orphan_possible);
  EXPECT_EQ(signals_of(blind.engine), "");
}

TEST(EngineControl, WaitsAMomentForACommandThatIsAboutToEnd) {
  Scene scene;
  scene.ends({exec_says("true", "null"), exec_says("true", "null"), exec_says("false", "0")});
  EXPECT_TRUE(scene.end_of(reply_stream(101, kPid)).ok());
}

TEST(EngineControl, StopsWhenAPersonAsksOrAStreamFails) {
  for (const bool by_person : {true, false}) {
    Scene scene;
    scene.streams(reply_stream(101, kPid + fake_frame(1, "x")) + FakeReply{hang()});
    scene.ends({exec_says("true", "null"), exec_says("false", "143")});
    std::atomic<bool> came = false;
    const Ran ran = scene.run(seconds(5), [&](ExecStreams& streams) {
      streams.out = [&](std::string_view) -> Status {
        came = true;
        if (by_person) return {};
        return fail(ErrorCode::kIo, "the disk is full");
      };
      if (by_person) streams.stop_requested = [&] { return came.load(); };
    });
    ASSERT_TRUE(ran.result);
    EXPECT_EQ(ran.result->end, ExecEnd::kStopped);
    EXPECT_FALSE(ran.result->orphan_possible);
    EXPECT_EQ(signals_of(scene.engine), "TERM ");
  }
}

TEST(EngineControl, ReturnsAnErrorWhereNothingWasStarted) {
  using enum ErrorCode;
  const auto code_of = [](const std::function<void(Scene&)>& adjust) -> std::optional<ErrorCode> {
    Scene scene;
    scene.streams(reply_stream(101, kPid));
    adjust(scene);
    const Ran ran = scene.run();
    if (ran.result) return std::nullopt;
    EXPECT_EQ(ran.result.error().message.find("canary"), std::string::npos);
    return ran.result.error().code;
  };
  const std::string create = "POST " + kContainer + "/exec";
  const std::string start = "POST /v1.41/exec/" + kExec + "/start";
  const auto answers = [&](const std::string& request, int status) {
    return code_of([&](Scene& scene) {
      scene.engine.on(request, reply_json(status, R"({"message":"words"})"));
    });
  };
  EXPECT_EQ(answers(create, 404), kNotFound);
  EXPECT_EQ(answers(create, 409), kBusy);
  EXPECT_EQ(answers(create, 500), kUnavailable);
  EXPECT_EQ(answers(create, 403), kUnavailable);
  EXPECT_EQ(answers(create, 201), kUnavailable);
  EXPECT_EQ(answers(start, 404), kNotFound);
  EXPECT_EQ(answers(start, 409), kBusy);
  EXPECT_EQ(answers(start, 500), kUnavailable);
  EXPECT_EQ(answers("GET " + kContainer + "/json", 404), kNotFound);
  EXPECT_EQ(code_of([&](Scene& scene) {
              scene.engine.on("GET " + kContainer + "/json", reply_json(200, container("exited")));
              scene.engine.on(create, reply_json(500, R"({"cause":"improper state"})"));
            }),
            kBusy);
  EXPECT_EQ(code_of([&](Scene& scene) { scene.request.container_id = "db"; }), kInvalid);
  EXPECT_EQ(code_of([&](Scene& scene) { scene.request.argv[0] = "\xff"; }), kInvalid);
}

}  // namespace
}  // namespace muniment
