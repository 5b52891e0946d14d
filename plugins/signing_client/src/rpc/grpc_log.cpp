#include "rpc/grpc_log.hpp"

#include <grpc/support/log.h>

#include <atomic>

namespace plexsphere::signing_client {
namespace {

using Sink = std::function<void(std::string_view)>;

// gRPC takes a bare function, so the sink has to be reachable from one.
std::atomic<const Sink*> g_sink{nullptr};

void forward(gpr_log_func_args* line) {
  const Sink* sink = g_sink.load();
  if (sink != nullptr && line->severity == GPR_LOG_SEVERITY_ERROR) {
    (*sink)(line->message);
  }
}

}  // namespace

void route_grpc_log(Sink sink) {
  // Never freed: a thread of the library may be in the middle of a call to the previous one.
  g_sink.store(new Sink(std::move(sink)));
  gpr_set_log_function(&forward);
}

}  // namespace plexsphere::signing_client
