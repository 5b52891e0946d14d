/* px.egress/1: HTTP requests to hosts that the operator granted. The only way out of a plugin.
 *
 * A request names its deadline and how large an answer it takes; neither has a default. It goes to
 * an origin (scheme, host, port) that `egress` in [context.<id>] lists and that the plugin's
 * manifest asks for, or nowhere. Certificates and names are always verified, TLS is 1.2 or newer,
 * and a scheme of http needs a grant that says http. Redirects are answers like any other; proxies,
 * cookies, .netrc and content decoding do not exist. HTTP/1.1 (RFC 9112).
 *
 * The host keeps 64 requests under way, 8 of them to one origin, 1024 that wait for their turn, and
 * 256 MiB for their bodies and announced answers, unless configured otherwise, all plugins
 * together. Waiting counts against the deadline. What a request came to is told once, on a thread
 * of the host's.
 *
 * A signed request carries AWS Signature Version 4. The credential is the operator's, for this
 * context; the plugin never sees it. */
#ifndef PLEXSPHERE_ABI_EGRESS_H
#define PLEXSPHERE_ABI_EGRESS_H

#include "plexsphere/abi/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One request. Never zero and never used again while the process lives. */
typedef uint64_t px_egress_id;

/* An answer, whatever its status. Views live for the call that receives it. */
typedef struct px_egress_response {
  uint32_t struct_size;
  int32_t status;         /* 200..599 */
  const px_pair* headers; /* names in lower case, in order; a repeated name stands repeatedly */
  uint64_t header_count;
  px_bytes body; /* as it came: content codings are not undone */
} px_egress_response;

typedef struct px_egress_request {
  uint32_t struct_size;
  uint32_t deadline_ms; /* 1..600,000, from this call to the whole answer */
  px_str method;        /* GET, HEAD, PUT, POST, PATCH, DELETE or OPTIONS */
  /* "https://host[:port]/path[?query]", at most 8 KiB of ASCII without userinfo or fragment;
   * anything else is percent-encoded by the caller (RFC 3986) and sent as it stands. */
  px_str url;
  /* At most 64. Not the host's own: Host, Content-Length, Transfer-Encoding, Connection, Expect,
   * TE, Trailer, Upgrade, Keep-Alive and Proxy-…; and, in a signed request, Authorization,
   * X-Amz-Date and X-Amz-Content-Sha256. A value has visible ASCII, spaces and tabs and is not
   * empty. */
  const px_pair* headers;
  uint64_t header_count;
  px_bytes body;               /* at most 64 MiB, copied; empty with GET and HEAD */
  uint64_t max_response_bytes; /* 1..64 MiB of body; an answer's headers have 64 KiB besides */
  /* Both empty: not signed. Else AWS Signature Version 4 for this region and service ("s3"), over
   * all headers and the SHA-256 of the body. Then the path is unreserved characters, "/" and
   * escapes; the query is sorted and its escapes are too; no header stands twice, and no header's
   * name begins with another's. */
  px_str sigv4_region;
  px_str sigv4_service;
  void* ctx;
  /* Called exactly once for a send that returned PX_OK, perhaps before it has returned; on a thread
   * that all requests share: note the answer and return. With PX_OK there is an answer. Else it is
   * null, and the reason one of
   *  PX_DEADLINE_EXCEEDED   deadline: whether the request took effect is not known
   *  PX_UNAVAILABLE         unresolved, unreachable, tls_refused: nothing was sent;
   *                         withdrawn: the plugin is being stopped
   *  PX_UNKNOWN             broken: the connection ended before the answer did
   *  PX_RESOURCE_EXHAUSTED  response_too_large
   *  PX_PERMISSION_DENIED   address_refused: the name stands for a link-local address
   *  PX_FAILED_PRECONDITION ca_unusable: the configured CA file cannot be read
   *  PX_CANCELLED           cancelled
   * [any] */
  void (*done)(void* ctx, px_status status, const px_egress_response* response, px_str reason,
               px_str detail);
} px_egress_request;

typedef struct px_egress {
  px_table base;
  /* Copies the request and begins it. After any other status than PX_OK `done` is not called:
   * PX_INVALID_ARGUMENT    request_malformed, or unsignable
   * PX_PERMISSION_DENIED   origin_not_granted, plaintext_not_granted
   * PX_FAILED_PRECONDITION credential_missing, credential_unreadable
   * PX_RESOURCE_EXHAUSTED  egress_full: too many wait, or too many bytes are held
   * PX_UNAVAILABLE         withdrawn
   * `out` may be null. Reads the credential's file for a signed request. [worker] */
  px_status (*send)(void* self, const px_egress_request* request, px_egress_id* out, px_error* err);
  /* Ends a request: `done` comes with PX_CANCELLED unless it had come. PX_NOT_FOUND: it has ended,
   * or is about to. [no-block] */
  px_status (*cancel)(void* self, px_egress_id id, px_error* err);
} px_egress;

#ifdef __cplusplus
}
#endif
#endif
