// An HTTP server that answers what a test laid down, and remembers what it was asked.
//
// Owns its thread; gone with its destruction. Answers are laid down before they are asked for;
// asked() may be read while it serves.
#pragma once

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace plexsphere::plexctl {

class ScriptedServer {
 public:
  ScriptedServer()
      : socket_(Poco::Net::SocketAddress("127.0.0.1", 0)),
        server_(new Factory(*this), socket_, new Poco::Net::HTTPServerParams) {
    server_.start();
  }
  ~ScriptedServer() { server_.stopAll(true); }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(socket_.address().port()); }

  // What `request` ("GET /v1/x?y=z") is answered: one answer after the other, the last for ever.
  // Anything else is answered 404.
  void answer(const std::string& request, int status, const std::string& body) {
    const std::lock_guard lock(mutex_);
    answers_[request].emplace_back(status, body);
  }
  // The same, in place of what was laid down for it.
  void replace(const std::string& request, const std::string& body) {
    const std::lock_guard lock(mutex_);
    answers_[request] = {{200, body}};
  }
  // Every request so far: "POST /v1/x", its bearer after it.
  std::vector<std::string> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  using Answer = std::pair<int, std::string>;

  class Handler : public Poco::Net::HTTPRequestHandler {
   public:
    explicit Handler(ScriptedServer& owner) : owner_(owner) {}
    void handleRequest(Poco::Net::HTTPServerRequest& request,
                       Poco::Net::HTTPServerResponse& response) override {
      const auto [status, body] = owner_.take(request.getMethod() + " " + request.getURI(),
                                              request.get("Authorization", ""));
      response.setStatus(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(status));
      response.setContentType(status < 400 ? "application/json" : "application/problem+json");
      response.set("X-Correlation-Id", "c-1");
      response.sendBuffer(body.data(), body.size());
    }

   private:
    ScriptedServer& owner_;
  };
  class Factory : public Poco::Net::HTTPRequestHandlerFactory {
   public:
    explicit Factory(ScriptedServer& owner) : owner_(owner) {}
    Poco::Net::HTTPRequestHandler* createRequestHandler(
        const Poco::Net::HTTPServerRequest&) override {
      return new Handler(owner_);  // the server deletes it
    }

   private:
    ScriptedServer& owner_;
  };

  Answer take(const std::string& request, const std::string& authorization) {
    const std::lock_guard lock(mutex_);
    asked_.push_back(request + " " + authorization);
    const auto at = answers_.find(request);
    if (at == answers_.end()) {
      return {404, R"({"code":"not_found"})"};
    }
    const Answer now = at->second.front();
    if (at->second.size() > 1) {
      at->second.pop_front();
    }
    return now;
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::deque<Answer>> answers_;  // under mutex_
  std::vector<std::string> asked_;                     // under mutex_
  Poco::Net::ServerSocket socket_;
  Poco::Net::HTTPServer server_;
};

}  // namespace plexsphere::plexctl
