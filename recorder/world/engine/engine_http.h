// HTTP/1.1 over the engine's unix socket, by libcurl.
#ifndef MUNIMENT_RECORDER_WORLD_ENGINE_ENGINE_HTTP_H_
#define MUNIMENT_RECORDER_WORLD_ENGINE_ENGINE_HTTP_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "recorder/core/result.h"
#include "recorder/world/engine/engine_reader.h"
#include "recorder/world/engine/engine_trouble.h"

namespace muniment {

struct HttpAnswer {
  long status = 0;
  std::map<std::string, std::string> headers;  // names in lower case; the last of each name
  std::string body;

  // Empty where there is none.
  std::string header(const std::string& name) const;
};

// `text` as one part of a path or of a query: all but letters, digits, `-`, `_`, `.` and `~`
// becomes %NN.
std::string url_encoded(std::string_view text);

// Can read, and nothing else: it has no other method than GET and HEAD. No proxy, no redirect, no
// cookie, no other protocol. Keeps its connection open between requests. Not thread-safe.
//
// A target is a path with its query, both encoded, as "/v1.41/containers/json?all=1". An answer of
// any status is a success here: refused() makes an error of it. Errors are kUnavailable: the socket
// is not there, may not be used or nobody listens; the answer does not come within the limits,
// breaks off, is no HTTP, or is larger than the limit.
class EngineHttp {
 public:
  EngineHttp(std::string socket, const EngineLimits& limits);
  ~EngineHttp();
  EngineHttp(const EngineHttp&) = delete;
  EngineHttp& operator=(const EngineHttp&) = delete;

  Result<HttpAnswer> get(const std::string& target);
  Result<HttpAnswer> head(const std::string& target);

  // Hands the body of an answer of status 200 to `take` as it comes; other bodies are kept, within
  // the limit. An answer may take any time, but no longer than the limit (in whole seconds, at
  // least one) without a byte. It must say where it ends (chunks or a length), else it is
  // kUnavailable, like one that ends early. An error of `take` is returned as it is.
  // kInterrupted: a stop was requested, which is looked at with each piece and once a second.
  Result<HttpAnswer> get_stream(const std::string& target,
                                const std::function<Status(std::string_view)>& take,
                                const std::function<bool()>& stop_requested);

  // The error that an answer of status 400 and above is, with the engine's words.
  Error refused(const std::string& method, const std::string& target,
                const HttpAnswer& answer) const;

  const std::string& socket() const { return socket_; }

 protected:
  // For those that may do more. `body` is sent as JSON where the method has one.
  Result<HttpAnswer> send(const std::string& method, const std::string& target,
                          const std::string* body);

 private:
  struct Transfer;
  struct Curl;
  Status perform(Transfer& transfer, const std::string& target);
  Error explain(const Transfer& transfer, int code) const;

  std::string socket_;
  EngineLimits limits_;
  std::unique_ptr<Curl> curl_;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_ENGINE_ENGINE_HTTP_H_
