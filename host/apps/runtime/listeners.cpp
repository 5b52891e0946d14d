#include "host/apps/runtime/listeners.hpp"

#include "host/base/build_info.hpp"

namespace plexsphere::host::apps {
namespace {

Status adopt_all(http::Engine& engine, const std::vector<InheritedSocket>& sockets) {
  for (const auto& socket : sockets) {
    if (auto status = engine.adopt(socket.descriptor, socket.tls()); !status) {
      return {status.code(), "inherited descriptor " + std::to_string(socket.descriptor) + " ('" +
                                 socket.name + "'): " + status.message()};
    }
  }
  return {};
}

Status listen_on_all(http::Engine& engine, const std::vector<std::string>& addresses) {
  for (const auto& address : addresses) {
    if (auto status = engine.listen(address); !status) {
      return status;
    }
  }
  return {};
}

}  // namespace

Status open_listeners(http::Engine& engine, const std::vector<InheritedSocket>& sockets,
                      const std::vector<std::string>& addresses, telemetry::Logger& log) {
  if (!sockets.empty()) {
    log.info("server.inherited_sockets",
             {{"sockets", sockets.size()},
              {"detail", "served instead of addr and more_addrs, which are not opened"}});
  }
  const auto status =
      sockets.empty() ? listen_on_all(engine, addresses) : adopt_all(engine, sockets);
  if (!status) {
    return status;
  }
  for (const auto& bound : engine.addresses()) {
    log.info("server.listening",
             {{"addr", bound}, {"version", build_info().version}, {"commit", build_info().commit}});
  }
  return {};
}

}  // namespace plexsphere::host::apps
