#include "http/intake_json.hpp"

#include <nlohmann/json.hpp>

namespace plexsphere::mesh {

using Json = nlohmann::ordered_json;

std::string endpoint_json(const AcceptedEndpoint& accepted) {
  return Json{{"accepted_at", sdk::rfc3339(accepted.accepted_at)},
              {"stale_after", sdk::rfc3339(accepted.stale_after)}}
      .dump();
}

std::string report_json(Time accepted_at, std::string_view key) {
  return Json{{"accepted_at", sdk::rfc3339(accepted_at)}, {"key", key}}.dump();
}

std::string manifest_json(const AcceptedManifest& accepted) {
  return Json{{"accepted_at", sdk::rfc3339(accepted.accepted_at)},
              {"fields_changed", accepted.fields_changed},
              {"host_key_changed", accepted.host_key_changed}}
      .dump();
}

}  // namespace plexsphere::mesh
