// The handler's part of an exchange: its body, its call, and the ways it completes.
#include "host/base/wire_text.hpp"
#include "host/http/pipeline/exchange.hpp"
#include "host/http/pipeline/response_check.hpp"
#include "host/http/pipeline/stream_start.hpp"
#include "host/http/stream/detached_connection.hpp"
#include "host/http/wire/gzip.hpp"
#include "host/telemetry/log.hpp"

namespace plexsphere::host::http {
namespace detail {

std::size_t Exchange::decoded_limit() const {
  return route_.decoded_limit == 0 ? route_.body_limit : route_.decoded_limit;
}

// As late as can be: who may not call does not make the host inflate anything.
bool Exchange::decode_body() {
  const auto limit = decoded_limit();
  auto outcome = request_.body.size() > limit ? wire::Inflated::kTooLarge : wire::Inflated::kGood;
  if (gzipped_) {
    outcome = wire::gunzip(request_.body, limit, inflated_);
  }
  switch (outcome) {
    case wire::Inflated::kGood:
      return true;
    case wire::Inflated::kTooLarge:
      fail(413, route_.too_large_code,
           "The decoded body is larger than the " + std::to_string(limit) +
               " bytes this operation takes.");
      return false;
    case wire::Inflated::kMalformed:
      break;
  }
  fail(400, "invalid_content_encoding", "The body is not well-formed gzip.");
  return false;
}

void Exchange::fill_wire_request() {
  wire_headers_.reserve(request_.head.headers.size());
  for (const auto& [name, value] : request_.head.headers) {
    wire_headers_.push_back({host::wire(name), host::wire(value)});
  }
  const std::string& body = gzipped_ ? inflated_ : request_.body;
  px_request& out = wire_request_;
  out.struct_size = sizeof(px_request);
  out.method = host::wire(request_.head.method);
  out.path = host::wire(request_.head.path());
  out.correlation_id = host::wire(correlation_id_);
  out.remote_ip = host::wire(remote_ip_);
  out.body = {reinterpret_cast<const std::uint8_t*>(body.data()), body.size()};
  out.path_parameters = match_.parameters().data();
  out.path_parameter_count = match_.parameters().size();
  out.query = wire_query_.data();
  out.query_count = wire_query_.size();
  out.headers = wire_headers_.data();
  out.header_count = wire_headers_.size();
  out.principal = &principal_;
  out.deadline_steady_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(deadline_.time_since_epoch()).count();
}

void Exchange::call_handler() {
  if (answered_ || (route_.auth == PX_AUTH_NONE && !check_ids()) || !decode_body()) {
    return;
  }
  fill_wire_request();
  wire_responder_ = {sizeof(px_responder), 0, this, &Exchange::on_respond, &Exchange::on_fail};
  const auto self = shared_from_this();  // a second completion while the handler runs is caught
  handler_reference_ = self;
  try {
    route_.handle(route_.ctx, &wire_request_, &wire_responder_);
  } catch (...) {
    report_defect("http.handler_threw", "");
    if (!handler_completed_.exchange(true)) {
      const auto released = std::move(handler_reference_);
      fail_internally();
    }
  }
}

void Exchange::report_defect(std::string_view event, std::string_view detail) const {
  pipeline_.log.error(event, {{"plugin", route_.owner},
                              {"route", route_.path},
                              {"detail", detail},
                              {"correlation_id", correlation_id_}});
}

// What all completions share: the reference that the handler held, or null for a second one.
std::shared_ptr<Exchange> Exchange::handler_done(const char* what) {
  if (handler_completed_.exchange(true)) {
    pipeline_.duplicate.Increment();
    report_defect("http.second_completion", what);
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
    exchange->report_defect("http.bad_response", checked.status().message());
    exchange->fail_internally();
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
    exchange->report_defect("http.bad_problem_members", "");
  }
}

Exchange* Exchange::behind(const px_responder& responder) {
  const bool ours = PX_HAS(&responder, px_responder, fail) && responder.self != nullptr &&
                    responder.respond == &Exchange::on_respond &&
                    responder.fail == &Exchange::on_fail;
  return ours ? static_cast<Exchange*>(responder.self) : nullptr;
}

Status Exchange::start_stream(Response head, Reply::Taker taker) {
  if (handler_completed_) {
    pipeline_.duplicate.Increment();
    report_defect("http.second_completion", "start_stream");
    return {Code::kInvalidArgument, "the responder has been completed already"};
  }
  if (auto checked = check_stream_head(head); !checked) {
    return checked;
  }
  const auto self = shared_from_this();
  if (!claim_answer()) {
    return {Code::kDeadlineExceeded, "the request was answered at its deadline"};
  }
  handler_completed_ = true;
  const auto released = std::move(handler_reference_);
  head.body.clear();
  finish(head);
  if (request_.head.method == "HEAD") {
    reply_->run([taker = std::move(taker)] { taker(std::nullopt); });
    reply_->send(std::move(head));
  } else {
    reply_->detach(std::move(head), std::move(taker));
  }
  return {};
}

}  // namespace detail

Status start_stream(const px_responder& responder, Response head, Reply::Taker taker) {
  auto* exchange = detail::Exchange::behind(responder);
  if (exchange == nullptr) {
    return {Code::kInvalidArgument, "the responder is none that the router handed out"};
  }
  return exchange->start_stream(std::move(head), std::move(taker));
}

}  // namespace plexsphere::host::http
