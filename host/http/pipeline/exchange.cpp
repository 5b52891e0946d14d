#include "host/http/pipeline/exchange.hpp"

#include "host/base/uuid.hpp"
#include "host/base/wire_text.hpp"
#include "host/http/pipeline/response_check.hpp"
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

std::string remote_ip_of(const RequestHead& head, const RouterOptions& options) {
  const std::string* forwarded = head.header("x-forwarded-for");
  return client_address(head.peer, forwarded == nullptr ? std::string_view() : *forwarded,
                        options.trusted_proxies);
}

px_principal anonymous() {
  px_principal principal{};
  principal.struct_size = sizeof(px_principal);
  principal.kind = PX_PRINCIPAL_ANONYMOUS;
  return principal;
}

}  // namespace

InFlight::Shard& InFlight::shard(const Exchange* exchange) {
  return shards_[(reinterpret_cast<std::uintptr_t>(exchange) >> 6) % shards_.size()];
}

void InFlight::add(Exchange* exchange) {
  Shard& home = shard(exchange);
  const std::lock_guard lock(home.mutex);
  home.members.insert(exchange);
}

void InFlight::remove(Exchange* exchange) {
  Shard& home = shard(exchange);
  const std::lock_guard lock(home.mutex);
  home.members.erase(exchange);
}

std::size_t InFlight::size() const {
  std::size_t sum = 0;
  for (const auto& home : shards_) {
    const std::lock_guard lock(home.mutex);
    sum += home.members.size();
  }
  return sum;
}

std::vector<std::shared_ptr<Exchange>> InFlight::expired(Clock::time_point now) {
  std::vector<std::shared_ptr<Exchange>> out;
  for (auto& home : shards_) {
    const std::lock_guard lock(home.mutex);
    for (Exchange* exchange : home.members) {
      if (exchange->deadline() < now) {
        if (auto held = exchange->weak_from_this().lock()) {
          out.push_back(std::move(held));
        }
      }
    }
  }
  return out;
}

Exchange::Exchange(Pipeline& pipeline, Request request, std::shared_ptr<Reply> reply, Match match,
                   const Route& unmatched)
    : pipeline_(pipeline),
      request_(std::move(request)),
      reply_(std::move(reply)),
      match_(std::move(match)),
      route_(match_.route != nullptr ? *match_.route : unmatched),
      began_(Clock::now()),
      deadline_(began_ + pipeline.options.deadline),
      correlation_id_(correlation_id_of(request_.head)),
      remote_ip_(remote_ip_of(request_.head, pipeline.options)),
      principal_(anonymous()),
      wire_request_{},
      wire_responder_{} {}

Exchange::~Exchange() {
  pipeline_.in_flight.remove(this);
}

void Exchange::begin() {
  pipeline_.in_flight.add(this);  // not before it is shared: the deadline keeper takes a reference
  if (!accept_request()) {
    return;
  }
  if (route_.builtin) {
    answer(route_.builtin(request_));
  } else if (route_.auth == PX_AUTH_NONE) {
    call_handler();
  } else if (take_bearer()) {
    authenticate();
  }
}

bool Exchange::accept_request() {
  const std::string* encoding = request_.head.header("content-encoding");
  if (request_.head.path().empty() || request_.head.path().front() != '/') {
    fail(400, "invalid_path", "The request target must be a path that begins with '/'.");
  } else if (!match_.allowed.empty()) {
    std::string allow;
    for (const auto& method : match_.allowed) {
      allow += (allow.empty() ? "" : ", ") + method;
    }
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
  } else if (encoding != nullptr && !equal_ignoring_case(*encoding, "identity")) {
    fail(415, "unsupported_content_encoding",
         "This operation takes bodies without a content encoding only.");
  } else {
    return parse_query();
  }
  return false;
}

bool Exchange::parse_query() {
  std::string_view rest = request_.head.query();
  while (!rest.empty()) {
    const auto ampersand = rest.find('&');
    const auto pair = rest.substr(0, ampersand);
    rest = ampersand == std::string_view::npos ? std::string_view() : rest.substr(ampersand + 1);
    if (pair.empty()) {
      continue;
    }
    const auto equals = pair.find('=');
    std::string name;
    std::string value;
    const bool good =
        percent_decode(pair.substr(0, equals), true, name) &&
        (equals == std::string_view::npos || percent_decode(pair.substr(equals + 1), true, value));
    if (!good || query_.size() >= kMostQueryParameters) {
      fail(400, "invalid_query",
           "The query must be at most 256 percent-encoded name=value pairs joined by '&'.");
      return false;
    }
    query_.emplace_back(std::move(name), std::move(value));
  }
  return true;
}

const std::string* Exchange::parameter(const std::string& name) const {
  for (const auto& [key, value] : match_.parameters) {
    if (key == name) {
      return &value;
    }
  }
  return nullptr;
}

void Exchange::expire() {
  if (!answered_) {
    pipeline_.expired.Increment();
    bool ignored = false;
    Problem problem{503,
                    "request_deadline_exceeded",
                    "The request was not answered in time; it may still take effect.",
                    "",
                    {}};
    answer(render(problem, request_.head.path(), correlation_id_, &ignored), true);
  }
}

void Exchange::fill_wire_request() {
  for (const auto& [name, value] : match_.parameters) {
    wire_parameters_.push_back({wire(name), wire(value)});
  }
  for (const auto& [name, value] : query_) {
    wire_query_.push_back({wire(name), wire(value)});
  }
  for (const auto& [name, value] : request_.head.headers) {
    wire_headers_.push_back({wire(name), wire(value)});
  }
  px_request& out = wire_request_;
  out.struct_size = sizeof(px_request);
  out.method = wire(request_.head.method);
  out.path = wire(request_.head.path());
  out.correlation_id = wire(correlation_id_);
  out.remote_ip = wire(remote_ip_);
  out.body = {reinterpret_cast<const std::uint8_t*>(request_.body.data()), request_.body.size()};
  out.path_parameters = wire_parameters_.data();
  out.path_parameter_count = wire_parameters_.size();
  out.query = wire_query_.data();
  out.query_count = wire_query_.size();
  out.headers = wire_headers_.data();
  out.header_count = wire_headers_.size();
  out.principal = &principal_;
  out.deadline_steady_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(deadline_.time_since_epoch()).count();
}

void Exchange::call_handler() {
  if (answered_ || (route_.auth == PX_AUTH_NONE && !check_ids())) {
    return;
  }
  fill_wire_request();
  wire_responder_ = {sizeof(px_responder), 0, this, &Exchange::on_respond, &Exchange::on_fail};
  const auto self = shared_from_this();  // a second completion while the handler runs is caught
  handler_reference_ = self;
  try {
    route_.handle(route_.ctx, &wire_request_, &wire_responder_);
  } catch (...) {
    pipeline_.log.error(
        "http.handler_threw",
        {{"plugin", route_.owner}, {"route", route_.path}, {"correlation_id", correlation_id_}});
    if (!handler_completed_.exchange(true)) {
      const auto released = std::move(handler_reference_);
      fail(500, "internal", "Something went wrong on our side.");
    }
  }
}

// What both completions share: the reference that the handler held, or null for a second one.
std::shared_ptr<Exchange> Exchange::handler_done(const char* what) {
  if (handler_completed_.exchange(true)) {
    pipeline_.duplicate.Increment();
    pipeline_.log.error("http.second_completion", {{"plugin", route_.owner},
                                                   {"route", route_.path},
                                                   {"call", what},
                                                   {"correlation_id", correlation_id_}});
    return nullptr;
  }
  if (answered_) {
    pipeline_.late.Increment();
  }
  return std::move(handler_reference_);
}

void Exchange::on_respond(void* self, const px_response* response) {
  auto* exchange = static_cast<Exchange*>(self);
  const auto held = exchange->handler_done("respond");
  if (held == nullptr) {
    return;
  }
  auto checked = from_wire(*response);
  if (!checked) {
    exchange->pipeline_.log.error("http.bad_response",
                                  {{"plugin", exchange->route_.owner},
                                   {"route", exchange->route_.path},
                                   {"reason", checked.status().message()},
                                   {"correlation_id", exchange->correlation_id_}});
    exchange->fail(500, "internal", "Something went wrong on our side.");
    return;
  }
  exchange->answer(std::move(*checked));
}

void Exchange::on_fail(void* self, const px_problem* problem) {
  auto* exchange = static_cast<Exchange*>(self);
  const auto held = exchange->handler_done("fail");
  if (held == nullptr) {
    return;
  }
  const Problem checked = from_wire(*problem);
  bool members_dropped = false;
  exchange->answer(
      render(checked, exchange->request_.head.path(), exchange->correlation_id_, &members_dropped));
  if (members_dropped) {
    exchange->pipeline_.log.error("http.bad_problem_members",
                                  {{"plugin", exchange->route_.owner},
                                   {"route", exchange->route_.path},
                                   {"correlation_id", exchange->correlation_id_}});
  }
}

void Exchange::fail(int status, std::string code, std::string detail, Headers headers) {
  answer(render(Problem{status, std::move(code), std::move(detail), "", std::move(headers)},
                request_.head.path(), correlation_id_));
}

void Exchange::answer(Response response, bool now) {
  if (answered_.exchange(true)) {
    return;
  }
  pipeline_.in_flight.remove(this);
  response.set_header("X-Correlation-Id", correlation_id_);
  response.set_header("X-Content-Type-Options", "nosniff");
  if (!response.has_header("Cache-Control")) {
    response.set_header("Cache-Control", "no-store");
  }
  report(response);
  if (now) {
    reply_->send_now(std::move(response));
  } else {
    reply_->send(std::move(response));
  }
}

void Exchange::report(const Response& response) const {
  const double seconds = std::chrono::duration<double>(Clock::now() - began_).count();
  route_.metrics->observe(response.status, seconds);
  // Probes come every second or so from every balancer; they are counted, not told.
  const auto level = route_.builtin ? telemetry::Level::kDebug : telemetry::Level::kInfo;
  pipeline_.log.write(level, "http.request",
                      {{"correlation_id", correlation_id_},
                       {"method", request_.head.method},
                       {"path", request_.head.path()},
                       {"route", route_.path},
                       {"status", response.status},
                       {"duration_ms", seconds * 1000.0},
                       {"request_bytes", request_.body.size()},
                       {"response_bytes", response.body.size()},
                       {"remote_ip", remote_ip_},
                       {"principal", subject_id_}});
}

}  // namespace plexsphere::host::http::detail
