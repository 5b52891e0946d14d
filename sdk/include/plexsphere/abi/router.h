/* px.router/1: HTTP routes. The host authenticates, authorises and audits before the handler runs.
 *
 * A handler gets a responder and completes it exactly once, from any thread, now or later; a
 * request that waits holds no worker. The routes a plugin registers must equal its manifest's. */
#ifndef PLEXSPHERE_ABI_ROUTER_H
#define PLEXSPHERE_ABI_ROUTER_H

#include "plexsphere/abi/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Who may call. NODE_OR_OPERATOR: a node key of the path's Node skips the relation check. */
typedef int32_t px_auth;
enum { PX_AUTH_NONE = 0, PX_AUTH_OPERATOR = 1, PX_AUTH_NODE = 2, PX_AUTH_NODE_OR_OPERATOR = 3 };

typedef int32_t px_principal_kind;
enum {
  PX_PRINCIPAL_ANONYMOUS = 0,
  PX_PRINCIPAL_USER = 1,
  PX_PRINCIPAL_SERVICE = 2,
  PX_PRINCIPAL_NODE = 3
};

/* Who calls, as px.authn established it. */
typedef struct px_principal {
  uint32_t struct_size;
  px_principal_kind kind;
  px_uuid id;            /* user, service identity or Node */
  px_uuid domain_id;     /* all zero: platform scope */
  px_uuid credential_id; /* the token or key used */
  int64_t generation;    /* of the Node's credential; authenticated writes carry it */
} px_principal;

typedef struct px_request {
  uint32_t struct_size;
  uint32_t reserved;
  px_str method;
  px_str path;
  px_str correlation_id;
  px_str remote_ip; /* after trusted proxies were unwrapped */
  px_bytes body;    /* whole, at most the route's ceiling, after content decoding */
  const px_pair* path_parameters;
  uint64_t path_parameter_count;
  const px_pair* query; /* percent-decoded, in order */
  uint64_t query_count;
  const px_pair* headers; /* names in lower case */
  uint64_t header_count;
  const px_principal* principal; /* never null */
  int64_t deadline_steady_ns;    /* past it the host has answered 503 for us */
} px_request;

typedef struct px_response {
  uint32_t struct_size;
  int32_t status;
  px_str content_type; /* empty when there is no body */
  px_bytes body;
  const px_pair* headers;
  uint64_t header_count;
} px_response;

/* An RFC 9457 answer. The host adds type, title, instance and correlation_id. */
typedef struct px_problem {
  uint32_t struct_size;
  int32_t status;
  px_str code;    /* "token_consumed" */
  px_str detail;  /* one sentence, safe to show */
  px_str members; /* further members as one JSON object, or empty */
  const px_pair* headers;
  uint64_t header_count;
} px_problem;

/* Completed by exactly one call, after which it must not be touched. Responder and request live
 * until then, on the host's memory. A second completion is ignored, logged and counted. [any] */
typedef struct px_responder {
  uint32_t struct_size;
  uint32_t reserved;
  void* self;
  void (*respond)(void* self, const px_response* response);
  void (*fail)(void* self, const px_problem* problem);
} px_responder;

enum {
  PX_ROUTE_FAST = 1,       /* never waits: may run on the small lane */
  PX_ROUTE_CHECKS_SELF = 2 /* the row must be read first: the handler calls px.authz and audits */
};

typedef struct px_route {
  uint32_t struct_size;
  uint32_t flags;
  px_str method;
  px_str path; /* "/v1/nodes/{id}/heartbeat"; parameters {name} match one segment */
  px_auth auth;
  int32_t denied_as;       /* 403, or 404 where existence must not show */
  px_str node_parameter;   /* path parameter that must name the calling Node; empty: none */
  px_str permission;       /* relation checked on the object; empty: none */
  px_str object_type;      /* "domain", "platform", … */
  px_str object_parameter; /* path parameter with the object's id; empty for a singleton */
  px_str not_found_code;   /* code of the 404 when denied_as is 404 */
  px_str bad_id_code; /* 400 code when a {…id} parameter is no non-zero UUID; empty: "invalid_id" */
  px_str too_large_code; /* 413 code; empty: "request_body_too_large" */
  uint64_t body_limit;   /* bytes, on the raw body; 0 takes 8 KiB */
  void* ctx;
  /* [worker] on a host worker. Views of `request` live until the responder is completed. */
  void (*handle)(void* ctx, const px_request* request, const px_responder* responder);
  uint64_t decoded_limit; /* bytes after content decoding (gzip); 0: same as body_limit */
  px_str
      denied_code; /* code of the 403 when the permission is refused; empty: "permission_denied" */
} px_route;

typedef struct px_router {
  px_table base;
  px_status (*add)(void* self, const px_route* route, px_error* err); /* [init] */
} px_router;

#ifdef __cplusplus
}
#endif
#endif
