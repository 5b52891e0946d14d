// The signer's listener: gRPC over a unix socket whose peers the kernel vouches for, or over TCP
// with mutual TLS. There is no third way in.
//
// Thread safety: start and stop from one thread. Ownership: owns listener, service and gRPC's
// threads; signer and journal are the caller's and outlive it.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "rpc/endpoint.hpp"
#include "rpc/service.hpp"

namespace plexsphere::signing {

class GrpcServer {
 public:
  // Listens and serves. Faults name the file or address at fault.
  static Outcome<std::unique_ptr<GrpcServer>> start(const Endpoint& endpoint, ServiceParts parts);
  virtual ~GrpcServer() = default;
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // What a client dials: "unix:/path" or "host:port" with the real port.
  [[nodiscard]] virtual std::string target() const = 0;
  // Takes no further connection, lets calls in flight finish until `grace` has passed, then ends
  // them. Repeatable.
  virtual void stop(std::chrono::milliseconds grace) = 0;

 protected:
  GrpcServer() = default;
};

}  // namespace plexsphere::signing
