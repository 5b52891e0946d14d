#include "host/http/pipeline/exchange.hpp"

#include <algorithm>

#include "host/base/uuid.hpp"
#include "host/base/wire_text.hpp"
#include "host/http/pipeline/own_headers.hpp"
#include "host/telemetry/log.hpp"

namespace plexsphere::host::http::detail {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostQueryParameters = 256;
constexpr std::size_t kLongestCorrelationId = 64;

bool is_correlation_id(std::string_view text) {
  return !text.empty() && text.size() <= kLongestCorrelationId &&
         text.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
             std::string_view::npos;
}

std::string correlation_id_of(const RequestHead& head) {
  const std::string* sent = head.header("x-correlation-id");
  return sent != nullptr && is_correlation_id(*sent) ? *sent : make_uuid7_text();
}

// What proxies say of the client (RFC 7239 and its forerunners). Names are in lower case.
bool is_forwarded(const std::pair<std::string, std::string>& header) {
  return header.first == "forwarded" || header.first.starts_with("x-forwarded-");
}

// Nobody behind us can tell a proxy's word from that of a client which pretends to be one.
Request without_pretence(Request request, const RouterOptions& options) {
  auto& headers = request.head.headers;
  const auto first = std::find_if(headers.begin(), headers.end(), is_forwarded);
  if (first != headers.end() && !is_trusted_proxy(request.head.peer, options.trusted_proxies)) {
    headers.erase(std::remove_if(first, headers.end(), is_forwarded), headers.end());
  }
  return request;
}

// A proxy may append to the header or add one of its own: they count as one list (RFC 9110, 5.3).
std::string remote_ip_of(const RequestHead& head, const RouterOptions& options) {
  std::string forwarded;
  if (!options.trusted_proxies.empty()) {
    for (const auto& [name, value] : head.headers) {
      if (name == "x-forwarded-for") {
        forwarded.append(forwarded.empty() ? "" : ",").append(value);
      }
    }
  }
  return client_address(head.peer, forwarded, options.trusted_proxies);
}

px_principal anonymous() {
  px_principal principal{};
  principal.struct_size = sizeof(px_principal);
  principal.kind = PX_PRINCIPAL_ANONYMOUS;
  return principal;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string_view::npos
             ? std::string_view()
             : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// What a request says of its body's encoding (RFC 9110, 8.4). Codings beyond one gzip are none of
// ours.
enum class Coding { kIdentity, kGzip, kOther };

Coding coding_of(const RequestHead& head) {
  Coding coding = Coding::kIdentity;
  for (const auto& [name, value] : head.headers) {
    if (name != "content-encoding") {
      continue;
    }
    for (std::string_view rest(value); !rest.empty();) {
      const auto comma = rest.find(',');
      const auto item = trimmed(rest.substr(0, comma));
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
      if (item.empty() || equal_ignoring_case(item, "identity")) {
        continue;
      }
      const bool gzip = equal_ignoring_case(item, "gzip") || equal_ignoring_case(item, "x-gzip");
      coding = gzip && coding == Coding::kIdentity ? Coding::kGzip : Coding::kOther;
    }
  }
  return coding;
}

std::string joined(const std::vector<std::string_view>& methods) {
  std::string out;
  for (const auto method : methods) {
    out.append(out.empty() ? "" : ", ").append(method);
  }
  return out;
}

}  // namespace

Exchange::Exchange(Pipeline& pipeline, Request request, std::shared_ptr<Reply> reply)
    : pipeline_(pipeline),
      request_(without_pretence(std::move(request), pipeline.options)),
      reply_(std::move(reply)),
      match_(pipeline.table.match(request_.head.method, request_.head.path())),
      route_(match_.route != nullptr ? *match_.route : pipeline.unmatched),
      began_(request_.arrived),
      deadline_(began_ + pipeline.options.deadline),
      correlation_id_(correlation_id_of(request_.head)),
      remote_ip_(remote_ip_of(request_.head, pipeline.options)),
      principal_(anonymous()),
      wire_request_{},
      wire_responder_{} {}

Exchange::~Exchange() {
  if (!answered_) {
    pipeline_.in_flight.remove(this);
  }
}

void Exchange::begin() {
  if (deadline_ <= Clock::now()) {
    expire();  // it has waited that long for its worker
    return;
  }
  pipeline_.in_flight.add(this);  // not before it is shared: the deadline keeper takes a reference
  if (!accept_request()) {
    return;
  }
  if (route_.builtin) {
    answer(route_.builtin(request_));
  } else if (route_.auth == PX_AUTH_NONE) {
    if (within_rate()) {
      call_handler();
    }
  } else if (take_bearer()) {
    authenticate();
  }
}

bool Exchange::accept_request() {
  if (request_.head.path().empty() || request_.head.path().front() != '/') {
    fail(400, "invalid_path", "The request target must be a path that begins with '/'.");
  } else if (!match_.allowed.empty()) {
    const std::string allow = joined(match_.allowed);
    fail(405, "method_not_allowed",
         "This path does not take the method " + request_.head.method + "; it takes " + allow + ".",
         {{"Allow", allow}});
  } else if (match_.route == nullptr) {
    fail(404, "not_found", "There is nothing at this path.");
  } else if (!route_.unprovisioned_code.empty()) {
    // Before anything about the request itself: whatever was sent, it is not here.
    fail(501, route_.unprovisioned_code, "This feature is not provisioned in this deployment.");
  } else if (request_.body_overflow) {
    fail(413, route_.too_large_code,
         "The body is larger than the " + std::to_string(route_.body_limit) +
             " bytes this operation takes.");
  } else {
    return accept_content() && parse_query();
  }
  return false;
}

bool Exchange::accept_content() {
  const Coding coding = coding_of(request_.head);
  if (coding == Coding::kOther) {
    fail(415, "unsupported_content_encoding", "A body may have the content encoding gzip, or none.",
         {{"Accept-Encoding", "gzip"}});
    return false;
  }
  gzipped_ = coding == Coding::kGzip && !request_.body.empty();
  return true;
}

bool Exchange::within_rate() {
  const auto wait = pipeline_.limiter.refuse(remote_ip_, Clock::now());
  if (!wait) {
    return true;
  }
  pipeline_.rate_limited.Increment();
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait).count();
  fail(429, "rate_limited", "Too many requests came from this address; try again later.",
       {{"Retry-After", std::to_string(seconds)}});
  return false;
}

bool Exchange::parse_query() {
  const std::string_view whole = request_.head.query();
  std::string_view rest = whole;
  while (!rest.empty()) {
    const auto ampersand = rest.find('&');
    const auto pair = rest.substr(0, ampersand);
    rest = ampersand == std::string_view::npos ? std::string_view() : rest.substr(ampersand + 1);
    if (pair.empty()) {
      continue;
    }
    const auto equals = pair.find('=');
    const auto name = decoded_query_.decode(pair.substr(0, equals), true, whole.size());
    const auto value = decoded_query_.decode(
        equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1), true,
        whole.size());
    if (!name || !value || wire_query_.size() >= kMostQueryParameters) {
      fail(400, "invalid_query",
           "The query must be at most 256 percent-encoded name=value pairs joined by '&'.");
      return false;
    }
    wire_query_.push_back({*name, *value});
  }
  return true;
}

std::string_view Exchange::parameter(std::string_view name) const {
  for (const auto& [key, value] : match_.parameters()) {
    if (view(key) == name) {
      return view(value);
    }
  }
  return {};
}

void Exchange::expire() {
  if (!answered_) {
    pipeline_.expired.Increment();
    fail(503, "request_deadline_exceeded",
         "The request was not answered in time; it may still take effect.");
  }
}

void Exchange::fail(int status, std::string code, std::string detail, Headers headers) {
  answer(render(Problem{status, std::move(code), std::move(detail), "", std::move(headers)},
                request_.head.path(), correlation_id_));
}

void Exchange::fail_internally() {
  fail(500, "internal", "Something went wrong on our side.");
}

// Whoever gets true owes the engine its one answer.
bool Exchange::claim_answer() {
  if (answered_.exchange(true)) {
    return false;
  }
  pipeline_.in_flight.remove(this);
  return true;
}

void Exchange::answer(Response response) {
  if (claim_answer()) {
    finish(response);
    reply_->send(std::move(response));
  }
}

void Exchange::finish(Response& response) {
  add_own_headers(response, correlation_id_);
  report(response);
}

void Exchange::report(const Response& response) const {
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began_);
  const bool head_only = request_.head.method == "HEAD" && route_.head_metrics != nullptr;
  (head_only ? route_.head_metrics : route_.metrics)
      ->observe(response.status, std::chrono::duration<double>(took).count());
  // Probes come every second or so from every balancer; they are counted, not told.
  const auto level = route_.builtin ? telemetry::Level::kDebug : telemetry::Level::kInfo;
  pipeline_.log.write(level, "http.request",
                      {{"correlation_id", correlation_id_},
                       {"method", request_.head.method},
                       {"path", request_.head.path()},
                       {"route", route_.path},
                       {"status", response.status},
                       {"duration_ms", static_cast<double>(took.count()) / 1000.0},
                       {"request_bytes", request_.body.size()},
                       {"response_bytes", response.body.size()},
                       {"remote_ip", remote_ip_},
                       {"principal", subject_id_}});
}

}  // namespace plexsphere::host::http::detail
