#include "host/http/pipeline/refusals.hpp"

#include <utility>
#include <vector>

#include "host/base/uuid.hpp"
#include "host/http/pipeline/client_address.hpp"
#include "host/http/pipeline/own_headers.hpp"
#include "host/http/problem.hpp"
#include "host/telemetry/log.hpp"
#include "host/telemetry/metrics.hpp"

namespace plexsphere::host::http::detail {

Refusals::Refusals(telemetry::Logger& log, telemetry::Metrics& metrics)
    : log_(log),
      total_(metrics.counter("plexsphere_http_refusals_total",
                             "Answers of the engine to what is no request, came too slowly or "
                             "found no room, by reason.")) {}

bool Refusals::count(std::string_view reason, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  auto at = reasons_.find(reason);
  if (at == reasons_.end()) {
    at = reasons_.emplace(std::string(reason), Reason{}).first;
    at->second.counter = &total_.Add({{"reason", at->first}});
    at->second.second_began = now;
  }
  Reason& known = at->second;
  known.counter->Increment();
  if (now - known.second_began >= std::chrono::seconds(1)) {
    known.second_began = now;
    known.told = 0;
  }
  if (known.told < kLinesPerSecond) {
    ++known.told;
    return true;
  }
  ++known.suppressed;
  return false;
}

Response Refusals::answer(const Refusal& refusal, std::string_view peer, Clock::time_point now) {
  const std::string correlation_id = make_uuid7_text();
  if (count(refusal.reason, now)) {
    log_.info("http.refused", {{"correlation_id", correlation_id},
                               {"status", refusal.status},
                               {"code", refusal.code},
                               {"reason", refusal.reason},
                               {"remote_ip", client_address(peer, "", {})}});
  }
  Problem problem{refusal.status, std::string(refusal.code), std::string(refusal.detail), "", {}};
  if (refusal.retry_after.count() > 0) {
    problem.headers.emplace_back("Retry-After", std::to_string(refusal.retry_after.count()));
  }
  Response response = render(problem, "", correlation_id);
  add_own_headers(response, correlation_id);
  return response;
}

void Refusals::tell_suppressed(Clock::time_point now) {
  std::vector<std::pair<std::string, unsigned>> out;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [reason, known] : reasons_) {
      if (known.suppressed > 0 && now - known.second_began >= std::chrono::seconds(1)) {
        out.emplace_back(reason, std::exchange(known.suppressed, 0));
      }
    }
  }
  for (const auto& [reason, count] : out) {
    log_.info("http.refusals_suppressed", {{"reason", reason}, {"count", std::int64_t{count}}});
  }
}

}  // namespace plexsphere::host::http::detail
