#include "domain/health_report.hpp"

namespace plexsphere::meta {

std::string_view text_of(HealthState state) {
  switch (state) {
    case HealthState::ok:
      return "ok";
    case HealthState::degraded:
      return "degraded";
    case HealthState::down:
      break;
  }
  return "down";
}

std::string_view detail_of(HealthState state) {
  switch (state) {
    case HealthState::ok:
      return "Working.";
    case HealthState::degraded:
      return "Working, with restrictions.";
    case HealthState::down:
      break;
  }
  return "Not working.";
}

int http_status_of(HealthState rollup) {
  return rollup == HealthState::down ? 503 : 200;
}

}  // namespace plexsphere::meta
