#include "soak/enrol/agent.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "sim/node.hpp"

namespace plexsphere::soak {

using namespace std::chrono_literals;
using nlohmann::json;
using Clock = std::chrono::steady_clock;

namespace {

constexpr auto kPatience = 60s;
constexpr auto kBeforeNextTry = 20ms;

}  // namespace

void Agent::enrol() {
  const auto limit = Clock::now() + kPatience;
  std::string last;
  while (Clock::now() < limit) {
    try {
      const auto answer = sim::Api(site_->url(), "").raw("POST", "/v1/register", wanted_.body);
      last = std::to_string(answer.status) + " " + answer.body;
      if (answer.status == 201) {
        told_.push_back(read(answer.body));
        return;
      }
      if (answer.status != 503) {
        break;
      }
    } catch (const std::exception& error) {
      last = error.what();  // nobody there, or cut off: what this is about
    }
    std::this_thread::sleep_for(kBeforeNextTry);
  }
  throw std::runtime_error("a registration does not succeed: " + last);
}

Agent::Told Agent::read(const std::string& body) {
  const json answer = json::parse(body);
  const std::string id = answer.at("node_id");
  return {id, answer.at("mesh_ip"), sim::bearer_of(id, answer.at("nsk"))};
}

std::string Agent::use(const Told& told) const {
  const auto answer =
      sim::Api(site_->url(), told.bearer).raw("GET", "/v1/nodes/" + told.node_id + "/state");
  if (answer.status == 200) {
    return "200";
  }
  return std::to_string(answer.status) + " " +
         json::parse(answer.body, nullptr, false).value("code", "");
}

std::string Agent::fault() const {
  const Told& last = told_.back();
  for (const Told& each : told_) {
    if (each.node_id != last.node_id || each.mesh_ip != last.mesh_ip) {
      return "a replay told of another Node: " + each.node_id + " and " + last.node_id;
    }
  }
  for (std::size_t i = 0; i + 1 < told_.size(); ++i) {
    if (const auto got = use(told_[i]); got != "401 nsk_revoked") {
      return "an overtaken key of " + last.node_id + " gets " + got;
    }
  }
  const auto got = use(last);
  return got == "200" ? std::string() : "the last key of " + last.node_id + " gets " + got;
}

HalfClient::HalfClient(const std::string& url, const std::string& body)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
  const std::string request =
      "POST /v1/register HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body;
  if (socket_ < 0 ||
      ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) !=
          static_cast<ssize_t>(request.size())) {
    throw std::system_error(errno, std::generic_category(), "half a registration");
  }
}

HalfClient::~HalfClient() {
  ::close(socket_);
}

}  // namespace plexsphere::soak
