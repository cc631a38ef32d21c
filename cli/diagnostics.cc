#include "cli/diagnostics.h"

#include <google/protobuf/stubs/logging.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "recorder/core/notation.h"
#include "recorder/core/text.h"

namespace muniment {
namespace {

struct State {
  bool json = false;
  const Redactor* redactor = nullptr;
};

State& state() {
  static State state;
  return state;
}

// What is quoted in a message is inert already; what a library put into it is not. Backslashes and
// newlines stay, so that nothing is escaped twice.
std::string harmless(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find_first_of("\\\n", at), text.size());
    out += inert(text.substr(at, end - at));
    if (end < text.size()) out += text[end];
    at = end + 1;
  }
  return out;
}

void log(spdlog::level::level_enum level, const std::string& prefix, const std::string& text) {
  const std::string clean =
      harmless(state().redactor == nullptr ? text : state().redactor->redact(text));
  spdlog::log(level, "{}", state().json ? json_quote(clean) : prefix + clean);
}

}  // namespace

void start_diagnostics(const DiagnosticsOptions& options) {
  state().json = options.json;
  // What protobuf says of bytes that do not parse, the caller says better.
  google::protobuf::SetLogHandler(nullptr);
  auto logger = std::make_shared<spdlog::logger>("muniment",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern(
      options.json ? R"({"at":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%v})" : "%v",
      spdlog::pattern_time_type::utc);
  logger->set_level(options.verbosity < 0   ? spdlog::level::err
                    : options.verbosity > 0 ? spdlog::level::debug
                                            : spdlog::level::info);
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

void redact_diagnostics(const Redactor* redactor) {
  state().redactor = redactor;
}

void say_error(const std::string& text) {
  log(spdlog::level::err, "muniment: ", text);
}
void say_warning(const std::string& text) {
  log(spdlog::level::warn, "muniment: ", text);
}
void say(const std::string& text) {
  log(spdlog::level::info, "", text);
}
void say_detail(const std::string& text) {
  log(spdlog::level::debug, "", text);
}
void say_located_error(const std::string& text) {
  log(spdlog::level::err, "", text);
}

}  // namespace muniment
