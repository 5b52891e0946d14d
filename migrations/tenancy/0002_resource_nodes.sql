-- Which Resources live Nodes stand on: this context's own picture of Nodes, written from identity's
-- events in the transaction that emits them. A Resource with a live Node cannot be deleted: the
-- foreign key says so, whoever deletes. Nodes that were registered before this table are not in it.

CREATE TABLE tenancy.live_node (
  node_id uuid PRIMARY KEY,
  resource_id uuid NOT NULL,
  CONSTRAINT live_node_resource_fk FOREIGN KEY (resource_id)
    REFERENCES tenancy.resources (id) ON DELETE RESTRICT
);
CREATE INDEX live_node_resource ON tenancy.live_node (resource_id);

-- tenancy.NodeRegistered, which a replayed registration tells again.
CREATE FUNCTION tenancy.port_project_nodes_registered(p_node_ids uuid[], p_resource_ids uuid[])
RETURNS boolean
LANGUAGE sql SECURITY DEFINER
SET search_path = tenancy, pg_temp
AS $$
  INSERT INTO tenancy.live_node (node_id, resource_id)
  SELECT e.node_id, e.resource_id FROM unnest(p_node_ids, p_resource_ids) AS e (node_id, resource_id)
   ORDER BY e.node_id
  ON CONFLICT (node_id) DO NOTHING;
  SELECT true
$$;

-- tenancy.NodeDeregistered.
CREATE FUNCTION tenancy.port_project_nodes_deregistered(p_node_ids uuid[]) RETURNS boolean
LANGUAGE sql SECURITY DEFINER
SET search_path = tenancy, pg_temp
AS $$
  DELETE FROM tenancy.live_node WHERE node_id = ANY (p_node_ids);
  SELECT true
$$;

REVOKE ALL ON FUNCTION tenancy.port_project_nodes_registered(uuid[], uuid[]),
  tenancy.port_project_nodes_deregistered(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenancy.port_project_nodes_registered(uuid[], uuid[]),
  tenancy.port_project_nodes_deregistered(uuid[]) TO port_outbox, plexsphere_tenancy;
GRANT DELETE ON tenancy.resources TO plexsphere_tenancy;
