#include "host/http/engine/call.hpp"

#include "host/http/engine/response_bytes.hpp"
#include "host/http/stream/detached_connection.hpp"

namespace plexsphere::host::http::engine {
namespace {

constexpr Refusal kOverloaded{503, "overloaded",
                              "The server has more requests than it can serve; try again shortly.",
                              "overloaded", std::chrono::seconds{0}};
constexpr Refusal kUnanswered{500, "internal", "Something went wrong on our side.", "unanswered",
                              std::chrono::seconds{0}};

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c + ('a' - 'A'));
    }
  }
  return out;
}

}  // namespace

Call::Call(CallHost& host, std::shared_ptr<CallTally> tally, std::shared_ptr<Connection> connection,
           Received received, Lane lane)
    : host_(host),
      tally_(std::move(tally)),
      connection_(std::move(connection)),
      received_(std::move(received)),
      lane_(lane),
      head_only_(received_.facts.method == "HEAD") {
  ++tally_->open;
  ++tally_->made;
}

Call::~Call() {
  if (claim() && !connection_->gone) {
    tally_->with_engine([&] { write(host_.sink().refused(kUnanswered, connection_->peer)); });
  }
  --tally_->open;
}

Request Call::take_request() {
  Request request;
  request.head.method = received_.facts.method;
  request.head.target = received_.facts.target;
  request.head.peer = connection_->peer;
  request.head.headers.reserve(received_.facts.field_count);
  std::string_view fields = received_.facts.fields;
  while (const auto field = wire::next_field(fields)) {
    request.head.headers.emplace_back(lower_case(field->name), field->value);
  }
  request.body = std::move(received_.body);
  request.body_overflow = received_.overflow;
  request.arrived = received_.arrived;
  return request;
}

void Call::work() noexcept {
  host_.sink().handle(take_request(), shared_from_this());
}

void Call::shed() noexcept {
  Refusal refusal = kOverloaded;
  refusal.retry_after = host_.retry_after();
  if (claim()) {
    write(host_.sink().refused(refusal, connection_->peer));
  }
}

void Call::send(Response response) {
  if (!claim() || connection_->gone) {
    return;
  }
  if (WorkerLane::on_worker()) {
    write(response);
    return;
  }
  // A thread that completes a whole batch has better things to do than system calls.
  tally_->with_engine([&] {
    host_.lane(Lane::kFast).go_on([self = shared_from_this(), response = std::move(response)] {
      self->write(response);
    });
  });
}

void Call::write(const Response& response) noexcept {
  const auto& facts = received_.facts;
  const bool keep = facts.keep_alive && !received_.must_close && !host_.closing();
  host_.answered(connection_, response_bytes(response, {head_only_, keep, !facts.http11}), keep);
}

void Call::detach(Response response, Taker taker) {
  if (!claim() || connection_->gone) {
    taker(std::nullopt);
    return;
  }
  const bool chunked = received_.facts.http11;
  std::string head = stream_head_bytes(response, chunked);
  bool given = false;
  tally_->with_engine([&] {
    host_.give_away(connection_, std::move(head), chunked, std::move(taker));
    given = true;
  });
  if (!given) {
    taker(std::nullopt);
  }
}

void Call::run(std::function<void()> task) {
  tally_->with_engine([&] { host_.lane(lane_).go_on(std::move(task)); });
}

}  // namespace plexsphere::host::http::engine
