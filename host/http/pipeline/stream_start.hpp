// How a handler's answer becomes a stream: the way from a responder to its connection.
//
// Thread safety: any thread. Ownership: the exchange behind the responder is the host's.
#pragma once

#include "host/base/result.hpp"
#include "host/http/engine.hpp"
#include "plexsphere/abi/router.h"

namespace plexsphere::host::http {

// Completes `responder` with the head of a stream: the host's own headers are added, the request is
// counted and logged as answered, its deadline no longer counts, and the connection is detached
// towards `taker` (see Reply::detach), which gets nullopt when there is no connection any more.
//
// A HEAD request is answered with the head alone; `taker` then gets nullopt on a worker.
//
// kInvalidArgument: no responder of this host, one that is completed, a status outside 200..299 or
// a badly formed header. kDeadlineExceeded: the host has answered 503 already. After either the
// responder is as it was, `taker` is not called, and the handler still owes its completion. As with
// every completion, a responder must not be touched once it is completed: the exchange may be gone.
Status start_stream(const px_responder& responder, Response head, Reply::Taker taker);

}  // namespace plexsphere::host::http
