// Poco's own HTTPServer, bare: what the host's engine is measured against. Prints its port.
//
//   bench_stock_poco THREADS BODY_BYTES
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/ThreadPool.h>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

namespace net = Poco::Net;

class Answer : public net::HTTPRequestHandler {
 public:
  explicit Answer(const std::string& body) : body_(body) {}
  void handleRequest(net::HTTPServerRequest&, net::HTTPServerResponse& response) override {
    response.setContentType("application/json");
    response.sendBuffer(body_.data(), body_.size());  // sets Content-Length
  }

 private:
  const std::string& body_;
};

class Answers : public net::HTTPRequestHandlerFactory {
 public:
  explicit Answers(std::size_t size) : body_(size, 'x') {}
  net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest&) override {
    return new Answer(body_);  // the server deletes it
  }

 private:
  std::string body_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench_stock_poco THREADS BODY_BYTES\n");
    return 2;
  }
  const int threads = std::atoi(argv[1]);
  Poco::ThreadPool pool(threads, threads + 1);
  net::HTTPServerParams::Ptr params = new net::HTTPServerParams;
  params->setMaxThreads(threads);
  params->setMaxQueued(16'384);  // its default of 64 would close connections unserved
  params->setMaxKeepAliveRequests(0);
  params->setKeepAliveTimeout(Poco::Timespan(30, 0));  // as the host's idle_timeout
  net::ServerSocket socket;
  socket.bind(net::SocketAddress("127.0.0.1", 0));
  socket.listen(4096);
  net::HTTPServer server(new Answers(static_cast<std::size_t>(std::atoi(argv[2]))), pool, socket,
                         params);
  server.start();
  std::printf("%u\n", static_cast<unsigned>(socket.address().port()));
  std::fflush(stdout);
  for (;;) {
    ::pause();
  }
}
