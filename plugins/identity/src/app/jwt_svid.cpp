#include "app/jwt_svid.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/json.hpp"

namespace plexsphere::identity {
namespace {

using sdk::Json;

constexpr std::size_t kLongest = 4096;
constexpr double kLastInstant = 253'402'300'799;  // the year 9999
constexpr std::array<std::string_view, 10> kAlgorithms{"RS256", "RS384", "RS512", "PS256", "PS384",
                                                       "PS512", "ES256", "ES384", "ES512", "EdDSA"};

std::optional<Json> decode_object(std::string_view segment) {
  const auto text = sdk::base64url_decode(segment);
  if (!text) {
    return std::nullopt;
  }
  auto json = sdk::parse_json(*text);
  return json.ok() && json->is_object() ? std::optional(std::move(*json)) : std::nullopt;
}

bool read_header(const Json& header, JwtSvid& out) {
  const auto text = [&](const char* name) {
    return header.contains(name) && header.at(name).is_string() ? header.at(name).get<std::string>()
                                                                : std::string{};
  };
  out.algorithm = text("alg");
  out.key_id = text("kid");
  const std::string type = text("typ");
  const bool type_fits = !header.contains("typ") || type == "JWT" || type == "JOSE";
  return std::ranges::find(kAlgorithms, out.algorithm) != kAlgorithms.end() &&
         !out.key_id.empty() && type_fits && !header.contains("crit");
}

// A NumericDate (RFC 7519, 2); fractions are cut off. False when it is there and is none.
bool read_date(const Json& payload, const char* name, std::optional<WholeSeconds>& out) {
  const auto at = payload.find(name);
  if (at == payload.end()) {
    return true;
  }
  const double value = at->is_number() ? at->get<double>() : -1;
  if (!std::isfinite(value) || value < 0 || value > kLastInstant) {
    return false;
  }
  out = WholeSeconds(static_cast<std::int64_t>(value));
  return true;
}

bool read_audience(const Json& payload, std::vector<std::string>& out) {
  const auto at = payload.find("aud");
  if (at == payload.end()) {
    return false;
  }
  if (at->is_string()) {
    out.push_back(at->get<std::string>());
    return true;
  }
  if (!at->is_array()) {
    return false;
  }
  for (const Json& each : *at) {
    if (!each.is_string()) {
      return false;
    }
    out.push_back(each.get<std::string>());
  }
  return !out.empty();
}

bool read_claims(const Json& payload, Claims& out) {
  const auto subject = payload.find("sub");
  std::optional<WholeSeconds> expires_at;
  if (subject == payload.end() || !subject->is_string() || !read_date(payload, "exp", expires_at) ||
      !expires_at || !read_date(payload, "nbf", out.not_before) ||
      !read_date(payload, "iat", out.issued_at)) {
    return false;
  }
  out.subject = subject->get<std::string>();
  out.expires_at = *expires_at;
  return read_audience(payload, out.audience);
}

}  // namespace

std::optional<JwtSvid> parse_jwt_svid(std::string_view text) {
  const std::size_t first = text.find('.');
  const std::size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (text.size() > kLongest || second == std::string_view::npos) {
    return std::nullopt;
  }
  const auto header = decode_object(text.substr(0, first));
  const auto payload = decode_object(text.substr(first + 1, second - first - 1));
  auto signature = sdk::base64url_decode(text.substr(second + 1));
  JwtSvid out;
  if (!header || !payload || !signature || !read_header(*header, out) ||
      !read_claims(*payload, out.claims)) {
    return std::nullopt;
  }
  out.signing_input = text.substr(0, second);
  out.signature = std::move(*signature);
  return out;
}

}  // namespace plexsphere::identity
