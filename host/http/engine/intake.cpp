#include "host/http/engine/intake.hpp"

#include <algorithm>

namespace plexsphere::host::http::engine {
namespace {

// A body beyond its limit is read and dropped up to here, so that the connection can be kept;
// beyond it the connection closes behind the answer.
constexpr std::uint64_t kDropLimit = 64 * 1024;

// The views of `facts` point into `from`; afterwards into the copy that is made of it.
std::string copy_head(std::string_view from, wire::Head& facts) {
  std::string copy(from.substr(0, facts.size));
  const auto moved = [&](std::string_view view) {
    return view.empty() ? std::string_view()
                        : std::string_view(copy.data() + (view.data() - from.data()), view.size());
  };
  facts.method = moved(facts.method);
  facts.target = moved(facts.target);
  facts.fields = moved(facts.fields);
  return copy;  // longer than a short string, so its bytes stay where they are
}

}  // namespace

Intake::Outcome Intake::take(Connection& connection, std::string_view bytes, std::size_t& used) {
  used = 0;
  return connection.partial ? go_on(connection, bytes, used) : begin(connection, bytes, used);
}

Intake::Outcome Intake::begin(Connection& connection, std::string_view bytes, std::size_t& used) {
  const wire::HeadLimits limits{options_.max_head_bytes, options_.max_headers,
                                options_.max_target_bytes};
  auto result = wire::check_head(bytes, connection.scanned, limits);
  if (const auto* fault = std::get_if<wire::Fault>(&result)) {
    return *fault;
  }
  auto* facts = std::get_if<wire::Head>(&result);
  if (facts == nullptr) {
    return More{};
  }
  connection.scanned = 0;
  used = facts->size;
  const Plan plan = sink_.plan(facts->method, facts->target);
  const bool sized = facts->framing == wire::Framing::kLength;
  if (facts->framing == wire::Framing::kNone || (sized && facts->content_length == 0)) {
    std::string raw = copy_head(bytes, *facts);
    return Whole{{std::move(raw), *facts, {}, {}, false, false}, plan.lane};
  }
  if (sized && facts->content_length > plan.body_limit + kDropLimit) {
    std::string raw = copy_head(bytes, *facts);
    return Whole{{std::move(raw), *facts, {}, {}, true, true}, plan.lane};
  }
  connection.partial = std::make_unique<PartialBody>();
  auto& partial = *connection.partial;
  partial.raw_head = copy_head(bytes, *facts);
  partial.facts = *facts;
  partial.plan = plan;
  partial.share = BufferShare(budget_);
  partial.overflow = sized && facts->content_length > plan.body_limit;
  if (bytes.size() == used && facts->expect_continue) {
    if (!partial.overflow) {
      return More{true};
    }
    auto outcome = finish(connection);  // the client has not sent it yet and shall not
    std::get<Whole>(outcome).request.must_close = true;
    return outcome;
  }
  std::size_t of_body = 0;
  auto outcome = go_on(connection, bytes.substr(used), of_body);
  used += of_body;
  return outcome;
}

void Intake::take_sized(PartialBody& partial, std::string_view bytes, std::size_t& used) const {
  const std::uint64_t missing = partial.facts.content_length - partial.received;
  used = static_cast<std::size_t>(std::min<std::uint64_t>(missing, bytes.size()));
  partial.received += used;
  if (!partial.overflow) {
    partial.body.append(bytes.substr(0, used));
  }
}

Intake::Outcome Intake::go_on(Connection& connection, std::string_view bytes, std::size_t& used) {
  auto& partial = *connection.partial;
  if (partial.facts.framing == wire::Framing::kLength) {
    take_sized(partial, bytes, used);
    if (!partial.share.grow_to(partial.body.size())) {
      return NoRoom{};
    }
    return partial.received == partial.facts.content_length ? finish(connection) : Outcome(More{});
  }
  const auto progress = partial.chunks.feed(bytes, partial.plan.body_limit, partial.body, used);
  partial.received += used;
  if (progress == wire::ChunkedDecoder::Progress::kFault) {
    return partial.chunks.fault();
  }
  if (!partial.share.grow_to(partial.body.size())) {
    return NoRoom{};
  }
  if (partial.body.size() > partial.plan.body_limit) {
    partial.overflow = true;
  }
  if (progress == wire::ChunkedDecoder::Progress::kDone) {
    return finish(connection);
  }
  if (partial.overflow && partial.chunks.decoded() > partial.plan.body_limit + kDropLimit) {
    auto outcome = finish(connection);
    std::get<Whole>(outcome).request.must_close = true;
    return outcome;
  }
  return More{};
}

Intake::Outcome Intake::finish(Connection& connection) {
  const auto partial = std::move(connection.partial);
  if (partial->overflow) {
    partial->body.clear();
  }
  return Whole{{std::move(partial->raw_head), partial->facts, std::move(partial->body),
                std::move(partial->share), partial->overflow, false},
               partial->plan.lane};
}

}  // namespace plexsphere::host::http::engine
