#include "soak/drain/load.hpp"

#include <array>
#include <chrono>
#include <exception>
#include <optional>

#include "soak/drain/kept_connection.hpp"

namespace plexsphere::soak {
namespace {

// At once, from another thread, and slowly enough to be under way when the listener closes.
constexpr std::array<const char*, 4> kTargets{"/v1/good/hello", "/v1/good/later",
                                              "/v1/good/slow?ms=30", "/v1/good/later"};
// Leaves the machine some air: the question is whether a request is lost, not how many are served.
constexpr std::chrono::milliseconds kPace{2};

}  // namespace

Load::Load(std::uint16_t port, int clients) {
  for (int i = 0; i < clients; ++i) {
    clients_.emplace_back([this, port](const std::stop_token& stop) { run(stop, port); });
  }
}

void Load::run(const std::stop_token& stop, std::uint16_t port) {
  std::optional<KeptConnection> connection;
  for (std::size_t turn = 0; !stop.stop_requested(); ++turn) {
    try {
      if (!connection) {
        connection.emplace(port);
      }
      connection->get(kTargets[turn % kTargets.size()]).status == 200 ? ++served_ : ++failed_;
    } catch (const std::exception&) {
      ++failed_;
      connection.reset();
    }
    std::this_thread::sleep_for(kPace);
  }
}

}  // namespace plexsphere::soak
