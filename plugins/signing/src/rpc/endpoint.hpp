// Where the signer listens, and who may call. Read from configuration, checked before anything
// opens.
//
// Thread safety: values; the functions are pure.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "domain/fault.hpp"

namespace plexsphere::signing {

struct UnixEndpoint {
  std::string path;                 // absolute, at most 107 bytes (sockaddr_un)
  std::vector<uid_t> allowed_uids;  // never empty
};

struct TlsEndpoint {
  std::string address;  // "host:port"; port 0 takes a free one
  std::string certificate_file;
  std::string key_file;
  std::string client_ca_file;
  std::vector<std::string> allowed_peers;  // exact subject alternative names; never empty
};

using Endpoint = std::variant<UnixEndpoint, TlsEndpoint>;

// The words of the configuration file.
struct EndpointSettings {
  std::string listen;
  std::vector<std::string> allowed_uids;  // decimal; empty means `own_uid`
  std::string tls_cert;
  std::string tls_key;
  std::string tls_client_ca;
  std::vector<std::string> allowed_peers;
};

// Faults are invariant violations whose cause names the key, its value and the remedy.
Outcome<Endpoint> parse_endpoint(const EndpointSettings& settings, uid_t own_uid);

}  // namespace plexsphere::signing
