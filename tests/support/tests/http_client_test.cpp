#include "support/http_client.hpp"

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>

#include <catch2/catch.hpp>
#include <iterator>

using namespace std::chrono_literals;
using plexsphere::test_support::HttpClient;
using plexsphere::test_support::HttpResponse;

namespace {

// Answers with what it was asked: method, target, one header and the body.
class Echo : public Poco::Net::HTTPRequestHandler {
 public:
  void handleRequest(Poco::Net::HTTPServerRequest& request,
                     Poco::Net::HTTPServerResponse& response) override {
    const std::string body{std::istreambuf_iterator<char>(request.stream()),
                           std::istreambuf_iterator<char>()};
    response.setStatus(Poco::Net::HTTPResponse::HTTP_CONFLICT);
    response.set("X-Echo", request.get("X-Probe", "none"));
    response.send() << request.getMethod() << ' ' << request.getURI() << ' ' << body;
  }
};

class EchoFactory : public Poco::Net::HTTPRequestHandlerFactory {
 public:
  Poco::Net::HTTPRequestHandler* createRequestHandler(
      const Poco::Net::HTTPServerRequest&) override {
    return new Echo;  // Poco takes ownership
  }
};

}  // namespace

TEST_CASE("the client sends what it is given and returns the whole answer", "[support]") {
  const Poco::Net::ServerSocket socket(Poco::Net::SocketAddress("127.0.0.1", 0));
  Poco::Net::HTTPServer server(new EchoFactory, socket, new Poco::Net::HTTPServerParams);
  server.start();
  const auto base = "http://127.0.0.1:" + std::to_string(socket.address().port());

  const auto posted = HttpClient().request("POST", base + "/v1/x?y=1", {{"X-Probe", "p"}}, "body");
  CHECK(posted.status == 409);
  CHECK(posted.body == "POST /v1/x?y=1 body");
  CHECK(posted.headers.at("x-echo") == "p");
  CHECK(HttpClient().request("GET", base).body == "GET / ");
  server.stopAll(true);
}

TEST_CASE("a refused connection is an error that names the URL", "[support]") {
  Poco::Net::ServerSocket socket(Poco::Net::SocketAddress("127.0.0.1", 0));
  const auto url = "http://127.0.0.1:" + std::to_string(socket.address().port()) + "/";
  socket.close();
  CHECK_THROWS_WITH(HttpClient().request("GET", url), Catch::Contains(url));
}

TEST_CASE("an answer that never comes is an error after the time-out", "[support]") {
  const Poco::Net::ServerSocket socket(Poco::Net::SocketAddress("127.0.0.1", 0));  // never accepts
  const auto url = "http://127.0.0.1:" + std::to_string(socket.address().port()) + "/";
  CHECK_THROWS_WITH(HttpClient(50ms).request("GET", url), Catch::Contains("imeout"));
}
