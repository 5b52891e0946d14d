/* px.nodes/1: Nodes, for other contexts. Provided by identity. */
#ifndef PLEXSPHERE_ABI_PORTS_NODES_H
#define PLEXSPHERE_ABI_PORTS_NODES_H

#include "plexsphere/abi/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct px_node {
  uint32_t struct_size;
  int32_t deregistered; /* 1: gone from the mesh */
  px_uuid node_id;
  px_uuid domain_id;
  px_uuid project_id;
  px_uuid resource_id;
} px_node;

typedef struct px_nodes {
  px_table base;
  /* PX_NOT_FOUND "node_not_found". [worker] */
  px_status (*find)(void* self, px_uuid node_id, px_node* out, px_error* err);
} px_nodes;

#ifdef __cplusplus
}
#endif
#endif
