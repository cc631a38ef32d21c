#include "recorder/world/engine/engine_control.h"

#include <algorithm>
#include <utility>

#include "recorder/core/check.h"
#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "recorder/world/engine/engine_json.h"
#include "recorder/world/engine/engine_post.h"
#include "recorder/world/engine/engine_trouble.h"
#include "recorder/world/engine/exec_end.h"
#include "recorder/world/engine/exec_pump.h"
#include "recorder/world/engine/exec_script.h"
#include "recorder/world/engine/exec_stream.h"

namespace muniment {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kStart = R"({"Detach":false,"Tty":false})";

ExecBody wrapped(const ExecRequest& request, bool with_input) {
  ExecBody body;
  body.argv = {"sh", "-c", kExecScript, "muniment", std::to_string(request.limit.count())};
  body.argv.insert(body.argv.end(), request.argv.begin(), request.argv.end());
  body.environment = request.environment;
  body.user = request.user;
  body.attach_in = with_input;
  return body;
}

}  // namespace

class EngineControl::Impl {
 public:
  Impl(const EngineAddress& address, const EngineLimits& allowed,
       std::unique_ptr<EngineReader> connected)
      : http(address.socket, allowed),
        reader(std::move(connected)),
        limits(allowed),
        prefix("/v" + reader->facts().api_version()) {}

  // The id of an exec that is not started yet.
  Result<std::string> create(const ExecRequest& request, const v1::ContainerObserved& container,
                             bool with_input);

  EnginePost http;
  std::unique_ptr<EngineReader> reader;
  EngineLimits limits;
  std::string prefix;  // of paths: "/v1.41"
};

Result<std::string> EngineControl::Impl::create(const ExecRequest& request,
                                                const v1::ContainerObserved& container,
                                                bool with_input) {
  Result<std::string> body = exec_body(wrapped(request, with_input));
  if (!body) return body;
  const std::string target = prefix + "/containers/" + request.container_id + "/exec";
  Result<HttpAnswer> answer = http.post(target, *body);
  if (!answer) return pass(answer);
  if (answer->status != 201) {
    Error error = http.refused("POST", target, *answer);
    // Podman says 500 where docker says 409.
    if (answer->status == 500 && container.state() != "running") error.code = ErrorCode::kBusy;
    return std::unexpected(std::move(error));
  }
  return exec_id_from_json(answer->body);
}

EngineControl::EngineControl(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

EngineControl::~EngineControl() = default;

Result<std::unique_ptr<EngineControl>> EngineControl::connect(const EngineAddress& address,
                                                              const EngineLimits& limits) {
  Result<std::unique_ptr<EngineReader>> reader = EngineReader::connect(address, limits);
  if (!reader) return pass(reader);
  auto impl = std::make_unique<Impl>(address, limits, std::move(*reader));
  return std::unique_ptr<EngineControl>(new EngineControl(std::move(impl)));
}

EngineReader& EngineControl::reader() {
  return *impl_->reader;
}

Result<ExecResult> EngineControl::run(const ExecRequest& request, const ExecStreams& streams,
                                      std::chrono::seconds stall) {
  check(!request.argv.empty(), "a command has a program");
  check(request.limit.count() > 0, "a command has a limit of at least a second");
  if (!is_hex_digest(request.container_id)) {
    return std::unexpected(no_container_id(request.container_id));
  }
  const Result<InspectedContainer> before = reader().inspect(request.container_id);
  if (!before) return std::unexpected(before.error());
  const Result<std::string> id =
      impl_->create(request, before->observed, static_cast<bool>(streams.in));
  if (!id) return std::unexpected(id.error());

  const EngineRequest start{impl_->http.socket(), "POST",
                            impl_->prefix + "/exec/" + *id + "/start"};
  const Clock::time_point begun = Clock::now();
  Result<std::unique_ptr<ExecStream>> stream = ExecStream::connect(start, impl_->limits.connect);
  if (!stream) return pass(stream);
  ExecEnding ending(impl_->http, reader(), impl_->limits, request, before->observed, *id);
  const Result<long> status = (*stream)->start(kStart, impl_->limits.answer);
  if (!status) {
    stream->reset();
    return ending.never_heard();
  }
  if (*status != 101 && *status != 200) {
    const std::string text = (*stream)->refusal_text(impl_->limits.answer);
    return std::unexpected(refusal(start, *status, error_text_of(text)));
  }
  ExecPump pump(**stream, streams);
  const StreamEnd end = pump.run(stall);
  const Clock::duration ran = Clock::now() - begun;
  // What it still writes is drained by the engine, so that a signal can reach it.
  stream->reset();
  return ending.judge(end, pump, ran);
}

Status EngineControl::copy_out(const std::string& container_id, const std::string& path,
                               const std::function<Status(std::string_view)>& take,
                               const std::function<bool()>& stop_requested) {
  check(take && stop_requested, "both functions are given");
  if (!is_hex_digest(container_id)) return std::unexpected(no_container_id(container_id));
  const std::string target =
      impl_->prefix + "/containers/" + container_id + "/archive?path=" + url_encoded(path);
  const Result<HttpAnswer> answer = impl_->http.get_stream(target, take, stop_requested);
  if (!answer) return std::unexpected(answer.error());
  if (answer->status != 200) return std::unexpected(impl_->http.refused("GET", target, *answer));
  return {};
}

}  // namespace muniment
