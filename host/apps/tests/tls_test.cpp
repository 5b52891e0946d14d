// TLS as an operator meets it: configuration, the first certificate, the next one.
#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>

#include <csignal>
#include <fstream>
#include <iterator>

#include "certificate.hpp"
#include "running.hpp"

namespace plexsphere::host::apps {
namespace {

namespace net = Poco::Net;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The process with a certificate of its own, listening on TLS and on nothing else.
class Secure {
 public:
  explicit Secure(int days = 90) {
    current_ = make_certificate(running_.path(), "first", days);
    running_.write_configuration("[http]\ndrain_delay = \"0s\"\n" + current_.section() +
                                 "[context.good]\nenabled = true\n");
    auto arguments = running_.arguments();
    arguments[1] = "tls:127.0.0.1:0";
    process_ = std::make_unique<test_support::Process>(PLEXSPHERE_BARE, arguments);
    REQUIRE(running_.announced());
    const auto address = test_support::read_file(running_.path() / "addr");
    port_ = static_cast<std::uint16_t>(std::stoul(address.substr(address.rfind(':') + 1)));
  }

  test_support::Process& process() { return *process_; }
  const CertificateFilePair& files() const { return current_; }
  // Puts other files in place of those that are configured.
  void replace(const CertificateFilePair& next) const {
    std::filesystem::copy_file(next.key, current_.key,
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::copy_file(next.certificate, current_.certificate,
                               std::filesystem::copy_options::overwrite_existing);
  }
  CertificateFilePair make(const std::string& name) const {
    return make_certificate(running_.path(), name, 90);
  }
  // SIGHUP, and the wait for what comes of it.
  bool reload(const std::string& event) {
    process_->signal(SIGHUP);
    return test_support::wait_until(20s, [&] { return has(process_->err(), event); });
  }
  // The certificate that a new client sees, as PEM.
  std::string shown() const {
    const auto seen = test_support::run(
        "/usr/bin/openssl", {"s_client", "-connect", "127.0.0.1:" + std::to_string(port_)});
    const auto begin = seen.out.find("-----BEGIN CERTIFICATE-----");
    const std::string end = "-----END CERTIFICATE-----\n";
    return begin == std::string::npos
               ? seen.err
               : seen.out.substr(begin, seen.out.find(end) + end.size() - begin);
  }
  std::unique_ptr<net::HTTPSClientSession> session() const {
    const net::Context::Ptr context(
        new net::Context(net::Context::TLS_CLIENT_USE, "", net::Context::VERIFY_NONE));
    auto made = std::make_unique<net::HTTPSClientSession>("127.0.0.1", port_, context);
    made->setKeepAlive(true);
    return made;
  }

 private:
  Running running_;
  CertificateFilePair current_;
  std::unique_ptr<test_support::Process> process_;
  std::uint16_t port_ = 0;
};

std::string get(net::HTTPSClientSession& session, const std::string& path) {
  net::HTTPRequest request("GET", path, net::HTTPMessage::HTTP_1_1);
  session.sendRequest(request);
  net::HTTPResponse response;
  std::istream& body = session.receiveResponse(response);
  return {std::istreambuf_iterator<char>(body), {}};
}

TEST_CASE("SIGHUP takes a new certificate and drops no connection", "[apps][tls]") {
  Secure secure;
  const std::string first = secure.files().pem();
  CHECK(secure.shown() == first);
  const auto kept = secure.session();
  CHECK(has(get(*kept, "/v1/good/hello"), "greeting"));
  const auto local = kept->socket().address().port();

  const auto next = secure.make("second");
  secure.replace(next);
  CHECK(secure.shown() == first);  // not before it is asked to
  REQUIRE(secure.reload("tls.reloaded"));
  CHECK(secure.shown() == next.pem());
  CHECK(has(get(*kept, "/v1/good/hello"), "greeting"));
  CHECK(kept->socket().address().port() == local);
  CHECK(has(get(*kept, "/metrics"), "\nplexsphere_tls_reloads_total{result=\"ok\"} 1\n"));

  secure.process().terminate();
  CHECK(secure.process().wait(20s) == 0);
}

TEST_CASE("a reload that fails keeps the old certificate and says why", "[apps][tls]") {
  Secure secure;
  const std::string first = secure.files().pem();
  const auto other = secure.make("other");
  std::filesystem::copy_file(other.certificate, secure.files().certificate,
                             std::filesystem::copy_options::overwrite_existing);
  REQUIRE(secure.reload("tls.reload_failed"));
  CHECK(has(secure.process().err(), "first.crt"));  // in the same line
  CHECK(secure.shown() == first);
  const auto session = secure.session();
  const std::string metrics = get(*session, "/metrics");
  CHECK(has(metrics, "\nplexsphere_tls_reloads_total{result=\"failed\"} 1\n"));
  CHECK(has(metrics, "\nplexsphere_tls_certificate_not_after_seconds "));
  secure.replace(other);
  REQUIRE(secure.reload("\"tls.reloaded\""));
  CHECK(secure.shown() == other.pem());
}

TEST_CASE("a certificate that ends within 14 days is warned about", "[apps][tls]") {
  Secure ending(13);
  CHECK(test_support::wait_until(
      20s, [&] { return has(ending.process().err(), "tls.certificate_expires_soon"); }));
  Secure fresh(30);
  REQUIRE(test_support::wait_until(20s, [&] { return has(fresh.process().err(), "listening"); }));
  CHECK_FALSE(has(fresh.process().err(), "tls.certificate_expires_soon"));
}

TEST_CASE("without a certificate SIGHUP changes nothing", "[apps][tls]") {
  Running running;
  running.start();
  running.process().signal(SIGHUP);
  REQUIRE(running.logs("tls.reload_skipped"));
  CHECK(running.get("/v1/good/hello").status == 200);
  running.process().terminate();
  CHECK(running.process().wait(20s) == 0);
}

TEST_CASE("what is wrong with [tls] is found before anything starts", "[apps][tls]") {
  Running running;
  const auto pair = make_certificate(running.path(), "pair", 90);
  const auto other = make_certificate(running.path(), "other", 90);
  const auto refusal = [&running](const std::string& text) {
    running.write_configuration(text);
    const auto done = running.run({"--check-config"});
    CHECK(done.code == 1);
    CHECK(running.run({}).code == 1);
    return done.err;
  };
  const std::string certificate = "[tls]\ncertificate = \"" + pair.certificate.string() + "\"\n";
  CHECK(has(refusal("[http]\nmore_addrs = [\"tls::0\"]\n"),
            "test.toml:5: [http] more_addrs needs a certificate (tls::0): set [tls] certificate"));
  CHECK(has(refusal(certificate), "[tls] has certificate without key"));
  CHECK(
      has(refusal(certificate + "key = \"" + other.key.string() + "\"\n"), "[tls] cannot be used"));
  CHECK(has(refusal(certificate + "key = \"/nowhere.key\"\n"), "/nowhere.key"));
  running.write_configuration(pair.section());
  CHECK(running.run({"--check-config"}).code == 0);
  running.write_configuration("[http]\ndrain_delay = \"0s\"\n");
  auto arguments = running.arguments();
  arguments[1] = "tls:127.0.0.1:0";
  const auto flag = test_support::run(PLEXSPHERE_BARE, arguments);
  CHECK(flag.code == 1);
  CHECK(has(flag.err, "--addr: the listener needs a certificate (tls:127.0.0.1:0)"));
}

}  // namespace
}  // namespace plexsphere::host::apps
