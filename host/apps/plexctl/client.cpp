#include "host/apps/plexctl/client.hpp"

#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/Net/SSLException.h>

#include <istream>
#include <memory>
#include <nlohmann/json.hpp>

#include "host/apps/plexctl/failure.hpp"
#include "host/base/build_info.hpp"

namespace plexsphere::plexctl {
namespace {

namespace net = Poco::Net;

struct Answer {
  int status = 0;
  std::string correlation_id;
  std::string body;
};

net::Context::Ptr verifying_context() {
  constexpr int kDepth = 9;  // OpenSSL's own habit
  constexpr bool kSystemAuthorities = true;
  net::Context::Ptr context(new net::Context(net::Context::TLS_CLIENT_USE, "",
                                             net::Context::VERIFY_STRICT, kDepth,
                                             kSystemAuthorities, "HIGH:!aNULL:!MD5"));
  context->requireMinimumProtocol(net::Context::PROTO_TLSV1_2);
  return context;
}

std::unique_ptr<net::HTTPClientSession> session_to(const Server& server) {
  std::unique_ptr<net::HTTPClientSession> session;
  if (server.tls) {
    session =
        std::make_unique<net::HTTPSClientSession>(server.host, server.port, verifying_context());
  } else {
    session = std::make_unique<net::HTTPClientSession>(server.host, server.port);
  }
  const Poco::Timespan answer(Client::kAnswerLimit.count(), 0);
  session->setTimeout(Poco::Timespan(Client::kConnectLimit.count(), 0), answer, answer);
  return session;
}

std::string read_body(std::istream& in) {
  std::string body;
  char chunk[16 * 1024];
  while (in.read(chunk, sizeof chunk), in.gcount() > 0) {
    body.append(chunk, static_cast<std::size_t>(in.gcount()));
    if (body.size() > Client::kBodyLimit) {
      throw Failure(ExitCode::failed,
                    "the answer is longer than " + std::to_string(Client::kBodyLimit) + " bytes");
    }
  }
  return body;
}

Answer exchange(net::HTTPClientSession& session, net::HTTPRequest& request) {
  session.sendRequest(request);
  net::HTTPResponse head;
  std::istream& in = session.receiveResponse(head);
  return {static_cast<int>(head.getStatus()), head.get("X-Correlation-Id", ""), read_body(in)};
}

}  // namespace

Client::Client(Server server, Token token) : server_(std::move(server)), token_(std::move(token)) {}

nlohmann::ordered_json Client::get(const std::string& path) const {
  return ask(net::HTTPRequest::HTTP_GET, path);
}

nlohmann::ordered_json Client::post(const std::string& path) const {
  return ask(net::HTTPRequest::HTTP_POST, path);
}

std::string Client::get_text(const std::string& path) const {
  return body(net::HTTPRequest::HTTP_GET, path, "text/plain");
}

nlohmann::ordered_json Client::ask(const std::string& method, const std::string& path) const {
  auto json = nlohmann::ordered_json::parse(body(method, path, "application/json"), nullptr, false);
  if (json.is_discarded()) {
    throw Failure(ExitCode::failed,
                  method + " " + server_.prefix + path + " answered a body that is not JSON: is " +
                      server_.host + ":" + std::to_string(server_.port) + " a plexsphere server?");
  }
  return json;
}

std::string Client::body(const std::string& method, const std::string& path,
                         const char* accept) const {
  net::HTTPRequest request(method, server_.prefix + path, net::HTTPMessage::HTTP_1_1);
  if (method == net::HTTPRequest::HTTP_POST) {
    request.setContentLength(0);
  }
  request.set("Accept", accept);
  request.set("User-Agent", "plexctl/" + std::string(host::build_info().version));
  request.set("Authorization", "Bearer " + std::string(token_.reveal()));
  const std::string name = method + " " + server_.prefix + path;
  const std::string where = server_.host + ":" + std::to_string(server_.port);
  Answer answer;
  try {
    answer = exchange(*session_to(server_), request);
  } catch (const net::SSLException& error) {
    throw Failure(ExitCode::failed, "no trustworthy connection to " + where + ": " +
                                        error.displayText() +
                                        "; the certificate must name this host and come from an "
                                        "authority of the system or of SSL_CERT_FILE");
  } catch (const Poco::Exception& error) {
    throw Failure(ExitCode::unavailable, "no answer from " + where + ": " + error.displayText());
  }
  if (answer.status < 200 || answer.status > 299) {
    throw failure_of(name, answer.status, answer.body, answer.correlation_id);
  }
  return answer.body;
}

}  // namespace plexsphere::plexctl
