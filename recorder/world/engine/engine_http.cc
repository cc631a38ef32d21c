#include "recorder/world/engine/engine_http.h"

#include <curl/curl.h>

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

#include "recorder/core/check.h"
#include "recorder/world/engine/engine_json.h"

namespace muniment {
namespace {

constexpr std::size_t kMostHeaders = 128;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string path_of(const std::string& target) {
  return target.substr(0, target.find('?'));
}

}  // namespace

struct EngineHttp::Curl {
  Curl() : handle(::curl_easy_init()) {
    if (handle == nullptr) throw std::bad_alloc();
  }
  ~Curl() { ::curl_easy_cleanup(handle); }
  Curl(const Curl&) = delete;
  Curl& operator=(const Curl&) = delete;

  template <class Value>
  void set(CURLoption option, Value value) {
    check(::curl_easy_setopt(handle, option, value) == CURLE_OK, "libcurl knows this option");
  }

  CURL* handle;
};

// One request under way.
struct EngineHttp::Transfer {
  EngineRequest request;
  std::size_t most_bytes = 0;
  std::chrono::milliseconds limit{};
  const std::string* sent = nullptr;
  // Set for a stream.
  const std::function<Status(std::string_view)>* take = nullptr;
  const std::function<bool()>* stop_requested = nullptr;

  HttpAnswer answer = {};
  bool too_large = false;
  bool endless = false;
  bool stopped = false;
  std::optional<Error> not_taken = std::nullopt;

  bool streams() const { return take != nullptr && answer.status == 200; }
  bool says_where_it_ends() const {
    return answer.headers.contains("content-length") ||
           answer.headers.contains("transfer-encoding");
  }
  std::size_t on_body(std::string_view piece);
  void on_header(std::string_view line);

  static std::size_t body_callback(char* data, std::size_t, std::size_t size, void* self) {
    return static_cast<Transfer*>(self)->on_body({data, size});
  }
  static std::size_t header_callback(char* data, std::size_t, std::size_t size, void* self) {
    static_cast<Transfer*>(self)->on_header({data, size});
    return size;
  }
  static int progress_callback(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto& transfer = *static_cast<Transfer*>(self);
    transfer.stopped =
        transfer.stopped || (transfer.stop_requested != nullptr && (*transfer.stop_requested)());
    return transfer.stopped ? 1 : 0;
  }
};

// Returning another size than the piece's ends the transfer.
std::size_t EngineHttp::Transfer::on_body(std::string_view piece) {
  if (streams()) {
    endless = !says_where_it_ends();
    if (endless) return 0;
    stopped = (*stop_requested)();
    if (stopped) return 0;
    Status taken = (*take)(piece);
    if (!taken) not_taken = std::move(taken.error());
    return taken ? piece.size() : 0;
  }
  too_large = answer.body.size() + piece.size() > most_bytes;
  if (too_large) return 0;
  answer.body += piece;
  return piece.size();
}

void EngineHttp::Transfer::on_header(std::string_view line) {
  if (line.starts_with("HTTP/")) {
    // Of a further answer, behind one of status 1xx.
    answer.headers.clear();
    answer.status = 0;
    const std::size_t space = line.find(' ');
    for (const char c : line.substr(std::min(space, line.size()))) {
      if (c == ' ' && answer.status == 0) continue;
      if (c < '0' || c > '9' || answer.status > 999) break;
      answer.status = answer.status * 10 + (c - '0');
    }
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || answer.headers.size() >= kMostHeaders) return;
  std::string name(line.substr(0, colon));
  std::ranges::transform(name, name.begin(), lower);
  std::string_view value = line.substr(colon + 1);
  while (value.starts_with(' ')) value.remove_prefix(1);
  while (value.ends_with('\n') || value.ends_with('\r') || value.ends_with(' ')) {
    value.remove_suffix(1);
  }
  answer.headers[name] = value;
}

std::string HttpAnswer::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

std::string url_encoded(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  static constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
  std::string encoded;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += kDigits[byte >> 4U];
    encoded += kDigits[byte & 15U];
  }
  return encoded;
}

EngineHttp::EngineHttp(std::string socket, const EngineLimits& limits)
    : socket_(std::move(socket)), limits_(limits) {
  static const bool kReady = ::curl_global_init(CURL_GLOBAL_NOTHING) == CURLE_OK;
  check(kReady, "libcurl can be initialized");
  curl_ = std::make_unique<Curl>();
}

EngineHttp::~EngineHttp() = default;

Result<HttpAnswer> EngineHttp::get(const std::string& target) {
  return send("GET", target, nullptr);
}

Result<HttpAnswer> EngineHttp::head(const std::string& target) {
  return send("HEAD", target, nullptr);
}

Result<HttpAnswer> EngineHttp::send(const std::string& method, const std::string& target,
                                    const std::string* body) {
  Transfer transfer{
      {socket_, method, path_of(target)}, limits_.most_answer_bytes, limits_.answer, body};
  if (Status performed = perform(transfer, target); !performed) return pass(performed);
  return std::move(transfer.answer);
}

Result<HttpAnswer> EngineHttp::get_stream(const std::string& target,
                                          const std::function<Status(std::string_view)>& take,
                                          const std::function<bool()>& stop_requested) {
  using std::chrono::milliseconds;
  Transfer transfer{{socket_, "GET", path_of(target)},
                    limits_.most_answer_bytes,
                    std::max(milliseconds(1000), limits_.answer),
                    nullptr,
                    &take,
                    &stop_requested};
  if (Status performed = perform(transfer, target); !performed) return pass(performed);
  if (transfer.streams() && !transfer.says_where_it_ends()) {
    return std::unexpected(trouble(transfer.request, "the answer does not say where it ends",
                                   "check which program answers on the socket"));
  }
  return std::move(transfer.answer);
}

Error EngineHttp::refused(const std::string& method, const std::string& target,
                          const HttpAnswer& answer) const {
  return refusal({socket_, method, path_of(target)}, answer.status, error_text_of(answer.body));
}

Status EngineHttp::perform(Transfer& transfer, const std::string& target) {
  Curl& curl = *curl_;
  // Forgets the options of the last request, keeps its connection.
  ::curl_easy_reset(curl.handle);
  const std::string url = "http://docker" + target;
  curl.set(CURLOPT_URL, url.c_str());
  curl.set(CURLOPT_UNIX_SOCKET_PATH, socket_.c_str());
  curl.set(CURLOPT_NOSIGNAL, 1L);
  curl.set(CURLOPT_PROXY, "");
  curl.set(CURLOPT_PROTOCOLS_STR, "http");
  curl.set(CURLOPT_FOLLOWLOCATION, 0L);
  curl.set(CURLOPT_PATH_AS_IS, 1L);
  curl.set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl.set(CURLOPT_HTTP09_ALLOWED, 0L);
  curl.set(CURLOPT_USERAGENT, "muniment");
  curl.set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits_.connect.count()));
  curl.set(CURLOPT_WRITEFUNCTION, &Transfer::body_callback);
  curl.set(CURLOPT_WRITEDATA, &transfer);
  curl.set(CURLOPT_HEADERFUNCTION, &Transfer::header_callback);
  curl.set(CURLOPT_HEADERDATA, &transfer);
  if (transfer.take != nullptr) {
    curl.set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl.set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(transfer.limit.count() / 1000));
    curl.set(CURLOPT_NOPROGRESS, 0L);
    curl.set(CURLOPT_XFERINFOFUNCTION, &Transfer::progress_callback);
    curl.set(CURLOPT_XFERINFODATA, &transfer);
  } else {
    curl.set(CURLOPT_TIMEOUT_MS, static_cast<long>(transfer.limit.count()));
  }
  std::unique_ptr<curl_slist, decltype(&::curl_slist_free_all)> headers(nullptr,
                                                                        &::curl_slist_free_all);
  if (transfer.request.method == "HEAD") curl.set(CURLOPT_NOBODY, 1L);
  if (transfer.sent != nullptr) {
    headers.reset(::curl_slist_append(nullptr, "Content-Type: application/json"));
    // An "Expect: 100-continue" would cost a round trip, and old proxies do not know it.
    if (headers) ::curl_slist_append(headers.get(), "Expect:");
    curl.set(CURLOPT_HTTPHEADER, headers.get());
    curl.set(CURLOPT_POST, 1L);
    curl.set(CURLOPT_POSTFIELDS, transfer.sent->c_str());
    curl.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(transfer.sent->size()));
    curl.set(CURLOPT_FRESH_CONNECT, 1L);
    curl.set(CURLOPT_FORBID_REUSE, 1L);
  }
  const CURLcode code = ::curl_easy_perform(curl.handle);
  if (code == CURLE_OK) return {};
  if (transfer.not_taken) return std::unexpected(std::move(*transfer.not_taken));
  return std::unexpected(explain(transfer, code));
}

Error EngineHttp::explain(const Transfer& transfer, int code) const {
  const EngineRequest& request = transfer.request;
  const char* const again = "look at the engine's log, and run it again";
  const char* const other = "check which program answers on the socket";
  if (transfer.stopped) {
    return {ErrorCode::kInterrupted, name_of(request) + ": stopped on request; run it again"};
  }
  if (transfer.too_large) {
    return trouble(request,
                   "the answer is larger than " + std::to_string(transfer.most_bytes) + " bytes",
                   other);
  }
  if (transfer.endless) return trouble(request, "the answer does not say where it ends", other);
  switch (code) {
    case CURLE_COULDNT_CONNECT: {
      long error_number = 0;
      ::curl_easy_getinfo(curl_->handle, CURLINFO_OS_ERRNO, &error_number);
      return connect_trouble(request, static_cast<int>(error_number));
    }
    case CURLE_OPERATION_TIMEDOUT:
      return silence(request, transfer.limit);
    case CURLE_GOT_NOTHING:
      return trouble(request, "the engine closed the connection without an answer", again);
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_ERROR:
      return trouble(request, "the answer broke off", again);
    case CURLE_RECV_ERROR:
      // Chunks that end early and chunks that are none are one to libcurl.
      return trouble(request, "the answer broke off or is malformed", again);
    default:
      return trouble(request,
                     std::string("the answer is malformed (") +
                         ::curl_easy_strerror(static_cast<CURLcode>(code)) + ")",
                     other);
  }
}

}  // namespace muniment
