#include "soak/drain/kept_connection.hpp"

#include <stdexcept>

namespace plexsphere::soak {

KeptConnection::Answer KeptConnection::get(const std::string& target) {
  if (!client_.send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n")) {
    throw std::runtime_error("closed before the request");
  }
  auto answer = client_.answer();
  if (!answer) {
    throw std::runtime_error("closed before the answer");
  }
  const auto connection = answer->headers.find("Connection");
  const bool keeps = connection == answer->headers.end() || connection->second != "close";
  return {answer->status, std::move(answer->body), keeps};
}

}  // namespace plexsphere::soak
