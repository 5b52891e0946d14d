#include "host/http/pipeline/own_headers.hpp"

#include <algorithm>

namespace plexsphere::host::http::detail {

void add_own_headers(Response& response, std::string_view correlation_id) {
  Headers& headers = response.headers;
  const auto replaced = [](const auto& header) {
    return equal_ignoring_case(header.first, "X-Correlation-Id") ||
           equal_ignoring_case(header.first, "X-Content-Type-Options");
  };
  headers.erase(std::remove_if(headers.begin(), headers.end(), replaced), headers.end());
  const bool cached = response.has_header("Cache-Control");
  headers.reserve(headers.size() + 3);
  headers.emplace_back("X-Correlation-Id", correlation_id);
  headers.emplace_back("X-Content-Type-Options", "nosniff");
  if (!cached) {
    headers.emplace_back("Cache-Control", "no-store");
  }
}

}  // namespace plexsphere::host::http::detail
