// The real engine in front of the real router, on plain TCP and over TLS, with routes that note
// what reaches them.
//
// Routes: GET /x; POST /x with up to 64 bytes of body, 128 decoded; GET /second; GET /smuggled,
// which nothing should ever reach. Each answers 200 with what it notes.
//
// Thread safety: handled from any thread; the rest from the test's.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "host/http/engine.hpp"
#include "host/http/pipeline/router.hpp"
#include "host/telemetry/log.hpp"
#include "host/telemetry/metrics.hpp"
#include "support/temp_dir.hpp"
#include "support/wire_client.hpp"

namespace plexsphere::host::http {

inline constexpr std::size_t kBodyLimit = 64;
inline constexpr std::size_t kDecodedLimit = 128;

class RouterRig {
 public:
  explicit RouterRig(EngineOptions options = {});

  test_support::WireClient connect(bool tls) const;
  // "METHOD path body" of each request that reached a handler since the last call.
  std::vector<std::string> handled();
  Engine& engine() { return *engine_; }

 private:
  void add(const char* method, const char* path);
  void note(const px_request& request, const px_responder& responder);

  std::ostringstream log_text_;
  telemetry::Logger log_;
  telemetry::Metrics metrics_;
  Router router_;
  std::mutex mutex_;
  std::vector<std::string> handled_;
  test_support::TempDir directory_;
  test_support::TlsClientContext tls_;
  std::unique_ptr<Engine> engine_;  // last: it uses the rest
  std::uint16_t plain_port_ = 0;
  std::uint16_t tls_port_ = 0;
};

// "400 malformed_request" of a problem document; "200" of anything else.
std::string told(const test_support::HttpResponse& answer);
// The value of a header, "(absent)" without.
std::string header_of(const test_support::HttpResponse& answer, const char* name);
std::string gzip(const std::string& plain);

}  // namespace plexsphere::host::http
