#include "host/http/pipeline/client_address.hpp"

#include <algorithm>

namespace plexsphere::host::http {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

bool is_trusted_proxy(std::string_view peer, std::span<const IpPrefix> trusted) {
  if (peer.empty()) {
    return !trusted.empty();
  }
  return std::any_of(trusted.begin(), trusted.end(),
                     [peer](const IpPrefix& prefix) { return prefix.contains(peer); });
}

std::string client_address(std::string_view peer, std::string_view forwarded_for,
                           std::span<const IpPrefix> trusted) {
  std::string_view best = peer;
  while (!forwarded_for.empty() && is_trusted_proxy(best, trusted)) {
    const auto comma = forwarded_for.rfind(',');
    const auto next =
        trimmed(comma == std::string_view::npos ? forwarded_for : forwarded_for.substr(comma + 1));
    if (!is_ip_address(next)) {
      break;
    }
    best = next;
    forwarded_for =
        comma == std::string_view::npos ? std::string_view() : forwarded_for.substr(0, comma);
  }
  constexpr std::string_view kMapped = "::ffff:";
  const bool mapped =
      best.substr(0, kMapped.size()) == kMapped && best.find('.') != std::string_view::npos;
  return std::string(mapped ? best.substr(kMapped.size()) : best);
}

}  // namespace plexsphere::host::http
