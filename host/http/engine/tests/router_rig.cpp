#include "router_rig.hpp"

#include <zlib.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <utility>

#include "host/base/wire_text.hpp"
#include "host/http/engine/epoll_engine.hpp"
#include "host/http/tls/certificates.hpp"
#include "support/test_certificate.hpp"

namespace plexsphere::host::http {
namespace {

std::uint16_t port_of(const std::string& address) {
  return static_cast<std::uint16_t>(std::stoul(address.substr(address.rfind(':') + 1)));
}

std::string bytes_of(const px_bytes& bytes) {
  return bytes.len == 0 ? std::string()
                        : std::string(reinterpret_cast<const char*>(bytes.ptr), bytes.len);
}

RouterOptions without_rate() {
  RouterOptions options;
  options.unauthenticated_rate = 0;
  return options;
}

}  // namespace

RouterRig::RouterRig(EngineOptions options)
    : log_("plexsphere", telemetry::Level::kError, log_text_),
      router_(log_, metrics_, without_rate()) {
  for (const auto& [method, path] :
       {std::pair{"GET", "/x"}, {"POST", "/x"}, {"GET", "/second"}, {"GET", "/smuggled"}}) {
    add(method, path);
  }
  const auto files = test_support::make_test_certificate(directory_.path());
  auto certificates = tls::Certificates::load({files.certificate, files.key});
  REQUIRE(certificates);
  options.certificates = *certificates;
  options.workers = 4;
  engine_ = make_epoll_engine(router_, options);
  REQUIRE(engine_->listen("127.0.0.1:0").ok());
  REQUIRE(engine_->listen("tls:127.0.0.1:0").ok());
  plain_port_ = port_of(engine_->addresses()[0]);
  tls_port_ = port_of(engine_->addresses()[1]);
}

void RouterRig::add(const char* method, const char* path) {
  Route route;
  route.owner = "test";
  route.method = method;
  route.path = path;
  route.body_limit = kBodyLimit;
  route.decoded_limit = kDecodedLimit;
  route.ctx = this;
  route.handle = [](void* self, const px_request* request, const px_responder* responder) {
    static_cast<RouterRig*>(self)->note(*request, *responder);
  };
  REQUIRE(router_.add(std::move(route)).ok());
}

void RouterRig::note(const px_request& request, const px_responder& responder) {
  std::string seen = text(request.method) + " " + text(request.path);
  if (request.body.len > 0) {
    seen += " " + bytes_of(request.body);
  }
  {
    const std::lock_guard lock(mutex_);
    handled_.push_back(seen);
  }
  px_response response{};
  response.struct_size = sizeof(response);
  response.status = 200;
  response.content_type = wire("text/plain");
  response.body = {reinterpret_cast<const std::uint8_t*>(seen.data()), seen.size()};
  responder.respond(responder.self, &response);
}

test_support::WireClient RouterRig::connect(bool tls) const {
  return tls ? test_support::WireClient(tls_port_, tls_) : test_support::WireClient(plain_port_);
}

std::vector<std::string> RouterRig::handled() {
  const std::lock_guard lock(mutex_);
  return std::exchange(handled_, {});
}

std::string told(const test_support::HttpResponse& answer) {
  std::string out = std::to_string(answer.status);
  if (header_of(answer, "Content-Type") == "application/problem+json") {
    out += " " + nlohmann::json::parse(answer.body)["code"].get<std::string>();
  }
  return out;
}

std::string header_of(const test_support::HttpResponse& answer, const char* name) {
  const auto found = answer.headers.find(name);
  return found == answer.headers.end() ? "(absent)" : found->second;
}

std::string gzip(const std::string& plain) {
  z_stream stream{};
  REQUIRE(::deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) ==
          Z_OK);
  std::string out(::deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

}  // namespace plexsphere::host::http
