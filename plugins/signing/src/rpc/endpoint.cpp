#include "rpc/endpoint.hpp"

#include <sys/un.h>

#include <charconv>

namespace plexsphere::signing {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kTcp = "tcp:";

Fault refused(std::string cause) {
  return {FaultKind::kInvariantViolation, std::move(cause)};
}

Outcome<std::vector<uid_t>> parse_uids(const std::vector<std::string>& texts, uid_t own_uid) {
  std::vector<uid_t> uids;
  for (const std::string& text : texts) {
    uid_t uid = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), uid);
    if (error != std::errc{} || end != text.data() + text.size()) {
      return refused("allowed_uids: \"" + text + "\" is not a numeric user id");
    }
    uids.push_back(uid);
  }
  if (uids.empty()) {
    uids.push_back(own_uid);
  }
  return uids;
}

Outcome<Endpoint> parse_unix(std::string path, const EndpointSettings& settings, uid_t own_uid) {
  constexpr std::size_t limit = sizeof(sockaddr_un::sun_path) - 1;
  const bool has_directory = path.starts_with('/') && path.rfind('/') != 0;
  if (!has_directory || path.ends_with('/') || path.size() > limit) {
    return refused("listen: \"" + settings.listen +
                   "\" must be unix:/directory/socket with a path of at most 107 bytes");
  }
  Outcome<std::vector<uid_t>> uids = parse_uids(settings.allowed_uids, own_uid);
  if (!uids.ok()) {
    return uids.fault();
  }
  return Endpoint(UnixEndpoint{std::move(path), std::move(uids).value()});
}

Outcome<Endpoint> parse_tls(std::string address, const EndpointSettings& settings) {
  if (address.find(':') == std::string::npos) {
    return refused("listen: \"" + settings.listen + "\" must be tcp:host:port");
  }
  if (settings.tls_cert.empty() || settings.tls_key.empty() || settings.tls_client_ca.empty()) {
    return refused("listen over tcp: needs tls_cert, tls_key and tls_client_ca; set all three");
  }
  if (settings.allowed_peers.empty()) {
    return refused("listen over tcp: needs allowed_peers, the names that may call; it is empty");
  }
  return Endpoint(TlsEndpoint{std::move(address), settings.tls_cert, settings.tls_key,
                              settings.tls_client_ca, settings.allowed_peers});
}

}  // namespace

Outcome<Endpoint> parse_endpoint(const EndpointSettings& settings, uid_t own_uid) {
  if (settings.listen.starts_with(kUnix)) {
    return parse_unix(settings.listen.substr(kUnix.size()), settings, own_uid);
  }
  if (settings.listen.starts_with(kTcp)) {
    return parse_tls(settings.listen.substr(kTcp.size()), settings);
  }
  return refused("listen: \"" + settings.listen + "\" must start with unix: or tcp:");
}

}  // namespace plexsphere::signing
