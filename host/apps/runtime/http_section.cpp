#include "host/apps/runtime/http_section.hpp"

#include <algorithm>
#include <charconv>
#include <memory>

namespace plexsphere::host::apps {
namespace {

using config::KeySpec;
using config::KeyType;
using config::Value;

constexpr std::string_view kTlsPrefix = "tls:";
constexpr std::chrono::milliseconds kDrainDelay{5'000};

KeySpec duration_key(const char* name, std::chrono::milliseconds value, std::int64_t least,
                     std::int64_t most, const char* doc) {
  return {.name = name,
          .type = KeyType::kDuration,
          .default_value = Value(value),
          .minimum = least,
          .maximum = most,
          .doc = doc};
}

KeySpec integer_key(const char* name, std::size_t value, std::int64_t least, std::int64_t most,
                    const char* doc) {
  return {.name = name,
          .type = KeyType::kInteger,
          .default_value = Value(static_cast<std::int64_t>(value)),
          .minimum = least,
          .maximum = most,
          .doc = doc};
}

KeySpec list_key(const char* name, std::int64_t most, const char* doc) {
  return {.name = name,
          .type = KeyType::kStringList,
          .default_value = Value(std::vector<std::string>{}),
          .maximum = most,
          .doc = doc};
}

std::vector<KeySpec> listener_keys(const std::string& default_addr) {
  return {{.name = "addr",
           .default_value = Value(default_addr),
           .minimum = 1,
           .doc = "host:port, :port, [v6]:port, unix:/path or tls:host:port; --addr wins"},
          list_key("more_addrs", 16, "further listeners, written like addr"),
          list_key("trusted_proxies", 64,
                   "addresses or networks whose X-Forwarded-* and Forwarded are believed")};
}

// Defaults stand where they are used, and are read from there.
std::vector<KeySpec> worker_keys() {
  const http::EngineOptions engine;
  return {integer_key("fast_workers", engine.fast_workers, 1, 64,
                      "threads for requests that never wait"),
          integer_key("workers", engine.workers, 1, 1'024, "threads for all other requests"),
          integer_key("max_waiting", engine.max_waiting, 1, 16'384,
                      "requests of one kind that may wait for a thread"),
          duration_key("max_wait", engine.max_wait, 10, 60'000, "of a request for its thread")};
}

std::vector<KeySpec> time_keys() {
  const http::EngineOptions engine;
  const http::RouterOptions router;
  return {duration_key("drain_delay", kDrainDelay, 0, 300'000,
                       "between readiness turning 503 and the listener closing"),
          duration_key("request_deadline", router.deadline, 100, 600'000,
                       "past it a request is answered 503"),
          duration_key("idle_timeout", engine.idle_timeout, 100, 3'600'000,
                       "of a kept connection between requests"),
          duration_key("receive_timeout", engine.receive_timeout, 100, 600'000,
                       "for a whole request; a body earns a second for each 16 KiB"),
          duration_key("handshake_timeout", engine.handshake_timeout, 100, 60'000,
                       "of a TLS handshake")};
}

std::vector<KeySpec> size_keys() {
  const http::EngineOptions engine;
  return {integer_key("max_head_bytes", engine.max_head_bytes, 1'024, 262'144,
                      "request line and headers"),
          integer_key("max_headers", engine.max_headers, 8, 1'000, "headers of a request"),
          integer_key("max_target_bytes", engine.max_target_bytes, 256, 65'536,
                      "path and query of a request"),
          integer_key("max_buffered_bytes", engine.max_buffered_bytes, http::kLargestBodyLimit,
                      1'099'511'627'776, "of request bodies, over all connections"),
          integer_key("max_connections", engine.max_connections, 16, 1'000'000,
                      "in total, streams included"),
          {.name = "max_connections_per_address",
           .type = KeyType::kInteger,
           .minimum = 0,
           .maximum = 1'000'000,
           .doc = "of one address that is no trusted proxy; without it a quarter of "
                  "max_connections, 0: no limit"}};
}

std::vector<KeySpec> rate_keys() {
  const http::RouterOptions router;
  return {integer_key("unauthenticated_rate", router.unauthenticated_rate, 0, 100'000,
                      "requests a second of one address to routes without authentication; 0: any"),
          integer_key("unauthenticated_burst", router.unauthenticated_burst, 1, 1'000'000,
                      "such requests that may come at once")};
}

std::vector<KeySpec> stream_keys() {
  const http::StreamHubOptions hub;
  return {integer_key("max_streams", hub.max_subscribers, 1, 1'000'000,
                      "streams open at the same time"),
          integer_key("stream_queue_frames", hub.queue_frames, 1, 65'536,
                      "frames that wait for one reader"),
          integer_key("stream_queue_bytes", hub.queue_bytes, 1'024, 67'108'864,
                      "bytes that wait for one reader"),
          integer_key("stream_inbox_frames", hub.inbox_frames, 64, 16'777'216,
                      "frames published and not yet taken up by the stream thread"),
          integer_key("stream_inbox_bytes", hub.inbox_bytes, 2'097'152, 4'294'967'296,
                      "the same in bytes"),
          duration_key("stream_keep_alive", hub.keep_alive, 1'000, 300'000,
                       "between two keep-alive comments")};
}

config::Issue issue(const config::Settings& section, const char* key, std::string what,
                    std::string value, std::string fix) {
  return {section.where(key).value_or(config::Location{}), std::move(what), std::move(value),
          std::move(fix)};
}

void check_proxies(const config::Settings& http, config::Issues& issues) {
  if (!http.has("trusted_proxies")) {
    return;
  }
  for (const auto& text : http.list("trusted_proxies")) {
    if (!http::IpPrefix::parse(text)) {
      issues.push_back(issue(http, "trusted_proxies",
                             "[http] trusted_proxies has an item that is no address or network",
                             text, "write it as 10.0.0.0/8 or ::1"));
    }
  }
}

void check_sizes(const config::Settings& http, config::Issues& issues) {
  if (http.has("max_head_bytes") && http.has("max_target_bytes") &&
      http.integer("max_target_bytes") >= http.integer("max_head_bytes")) {
    issues.push_back(issue(http, "max_target_bytes",
                           "[http] max_target_bytes does not fit into max_head_bytes",
                           std::to_string(http.integer("max_target_bytes")),
                           "a request line is part of the head: make max_head_bytes larger"));
  }
}

void check_certificate_pair(const config::Settings& tls, config::Issues& issues) {
  if (tls.has("certificate") == tls.has("key")) {
    return;
  }
  const bool have = tls.has("certificate");
  const char* given = have ? "certificate" : "key";
  const char* absent = have ? "key" : "certificate";
  issues.push_back(issue(tls, given, std::string("[tls] has ") + given + " without " + absent,
                         tls.string(given), std::string("set ") + absent + " too, or neither"));
}

bool is_tls(std::string_view address) {
  return address.starts_with(kTlsPrefix);
}

// host:port, :port, [v6]:port or unix:/path, each perhaps after tls:.
bool is_address(std::string_view text) {
  if (text.starts_with("tls:")) {
    text.remove_prefix(4);
  }
  if (text.starts_with("unix:")) {
    return text.substr(5).starts_with('/');
  }
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return false;
  }
  const std::string_view host = text.substr(0, colon);
  const bool bare_v6 = host.find(':') != std::string_view::npos && !host.starts_with('[');
  const std::string_view port = text.substr(colon + 1);
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  return !bare_v6 && error == std::errc() && end == port.data() + port.size();
}

void check_addresses(const config::Settings& http, const std::string& addr,
                     config::Issues& issues) {
  const std::string remedy = "write host:port, :port, [v6]:port, unix:/path or tls:host:port";
  if (!addr.empty() && !is_address(addr)) {
    issues.push_back({{"--addr", 0}, "this is no address to listen on", addr, remedy});
  }
  if (addr.empty() && http.has("addr") && !is_address(http.string("addr"))) {
    issues.push_back(
        issue(http, "addr", "[http] addr is no address to listen on", http.string("addr"), remedy));
  }
  if (!http.has("more_addrs")) {
    return;
  }
  for (const auto& more : http.list("more_addrs")) {
    if (!is_address(more)) {
      issues.push_back(
          issue(http, "more_addrs", "[http] more_addrs has no address to listen on", more, remedy));
    }
  }
}

void check_tls_listeners(const config::Configuration& configuration, const std::string& addr,
                         config::Issues& issues) {
  const auto& http = configuration.section("http");
  if (configuration.section("tls").has("certificate") || !http.has("addr") ||
      !http.has("more_addrs")) {
    return;
  }
  const std::string remedy = "set [tls] certificate and key, or listen without tls:";
  if (!addr.empty() && is_tls(addr)) {
    issues.push_back({{"--addr", 0}, "the listener needs a certificate", addr, remedy});
  } else if (addr.empty() && is_tls(http.string("addr"))) {
    issues.push_back(
        issue(http, "addr", "[http] addr needs a certificate", http.string("addr"), remedy));
  }
  for (const auto& more : http.list("more_addrs")) {
    if (is_tls(more)) {
      issues.push_back(
          issue(http, "more_addrs", "[http] more_addrs needs a certificate", more, remedy));
    }
  }
}

std::vector<http::IpPrefix> trusted_proxies(const config::Settings& http) {
  std::vector<http::IpPrefix> out;
  for (const auto& text : http.list("trusted_proxies")) {
    out.push_back(http::IpPrefix::parse(text).value());
  }
  return out;
}

std::size_t size(const config::Settings& section, const char* key) {
  return static_cast<std::size_t>(section.integer(key));
}

}  // namespace

config::SectionSpec http_section(const std::string& default_addr) {
  config::SectionSpec section{"http", listener_keys(default_addr)};
  for (const auto& more : {worker_keys(), time_keys(), size_keys(), rate_keys(), stream_keys()}) {
    section.keys.insert(section.keys.end(), more.begin(), more.end());
  }
  return section;
}

config::SectionSpec tls_section() {
  return {"tls",
          {{.name = "certificate",
            .type = KeyType::kPath,
            .minimum = 1,
            .doc = "PEM, the server's own first, then its chain"},
           {.name = "key",
            .type = KeyType::kPath,
            .minimum = 1,
            .doc = "PEM, without passphrase, readable by its owner only"}}};
}

config::Issues check_http_sections(const config::Configuration& configuration,
                                   const std::string& addr) {
  config::Issues issues;
  // A value that is missing here was reported when the file was checked.
  check_proxies(configuration.section("http"), issues);
  check_sizes(configuration.section("http"), issues);
  check_certificate_pair(configuration.section("tls"), issues);
  check_addresses(configuration.section("http"), addr, issues);
  check_tls_listeners(configuration, addr, issues);
  return issues;
}

std::vector<std::string> listen_addresses(const config::Configuration& configuration,
                                          const std::string& addr) {
  const auto& section = configuration.section("http");
  std::vector<std::string> out{addr.empty() ? section.string("addr") : addr};
  const auto& more = section.list("more_addrs");
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

std::optional<http::tls::CertificateFiles> certificate_files(
    const config::Configuration& configuration) {
  const auto& section = configuration.section("tls");
  if (!section.has("certificate")) {
    return std::nullopt;
  }
  return http::tls::CertificateFiles{section.string("certificate"), section.string("key")};
}

http::EngineOptions engine_options(const config::Configuration& configuration) {
  const auto& section = configuration.section("http");
  http::EngineOptions options;
  options.fast_workers = size(section, "fast_workers");
  options.workers = size(section, "workers");
  options.max_waiting = size(section, "max_waiting");
  options.max_wait = section.duration("max_wait");
  options.idle_timeout = section.duration("idle_timeout");
  options.receive_timeout = section.duration("receive_timeout");
  options.handshake_timeout = section.duration("handshake_timeout");
  options.max_head_bytes = size(section, "max_head_bytes");
  options.max_headers = size(section, "max_headers");
  options.max_target_bytes = size(section, "max_target_bytes");
  options.max_buffered_bytes = size(section, "max_buffered_bytes");
  options.max_connections = size(section, "max_connections");
  if (section.has("max_connections_per_address")) {
    options.max_connections_per_address = size(section, "max_connections_per_address");
  }
  options.is_proxy = [proxies = trusted_proxies(section)](std::string_view address) {
    return std::any_of(proxies.begin(), proxies.end(),
                       [address](const auto& proxy) { return proxy.contains(address); });
  };
  return options;
}

http::RouterOptions router_options(const config::Configuration& configuration) {
  const auto& section = configuration.section("http");
  http::RouterOptions options;
  options.deadline = section.duration("request_deadline");
  options.trusted_proxies = trusted_proxies(section);
  options.unauthenticated_rate =
      static_cast<std::uint32_t>(section.integer("unauthenticated_rate"));
  options.unauthenticated_burst =
      static_cast<std::uint32_t>(section.integer("unauthenticated_burst"));
  return options;
}

http::StreamHubOptions hub_options(const config::Configuration& configuration) {
  const auto& section = configuration.section("http");
  http::StreamHubOptions options;
  options.max_subscribers = size(section, "max_streams");
  options.queue_frames = size(section, "stream_queue_frames");
  options.queue_bytes = size(section, "stream_queue_bytes");
  options.inbox_frames = size(section, "stream_inbox_frames");
  options.inbox_bytes = size(section, "stream_inbox_bytes");
  options.keep_alive = section.duration("stream_keep_alive");
  return options;
}

}  // namespace plexsphere::host::apps
