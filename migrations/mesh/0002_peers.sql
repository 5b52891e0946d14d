-- Peers: this context's own picture of Nodes, written from identity's events in the transaction
-- that emits them. Nothing here is read from another context's tables.

CREATE TABLE mesh.peer (
  node_id               uuid PRIMARY KEY,
  peer_id               uuid        NOT NULL UNIQUE,
  domain_id             uuid        NOT NULL,
  project_id            uuid        NOT NULL,
  mesh_ip               inet        NOT NULL,
  public_key            bytea       NOT NULL CHECK (octet_length(public_key) = 32),
  fallback_endpoint     text,
  created_at            timestamptz NOT NULL,
  -- An authenticated write carries the generation of the key it came with and checks it here.
  credential_generation bigint      NOT NULL,
  credential_revoked_at timestamptz,
  deregistered_at       timestamptz,
  last_heartbeat_at     timestamptz,
  healthy_since         timestamptz,  -- first heartbeat after the last silence
  binary_checksum       bytea CHECK (octet_length(binary_checksum) = 32),
  binary_version        text,
  nat_summary           jsonb
) WITH (fillfactor = 70);  -- a heartbeat rewrites the row: leave room for it on its page
CREATE INDEX peer_by_domain ON mesh.peer (domain_id, node_id) WHERE deregistered_at IS NULL;
CREATE UNIQUE INDEX peer_live_address ON mesh.peer (domain_id, mesh_ip)
  WHERE deregistered_at IS NULL;

-- tenancy.NodeRegistered. Equal arrays, one item per event. Told again of a Node (a replayed
-- registration), only a newer credential is taken over.
CREATE FUNCTION mesh.port_project_nodes_registered(
  p_node_ids uuid[], p_peer_ids uuid[], p_domain_ids uuid[], p_project_ids uuid[],
  p_mesh_ips text[], p_public_keys bytea[], p_generations bigint[]) RETURNS boolean
LANGUAGE sql SECURITY DEFINER
SET search_path = mesh, pg_temp
AS $$
  INSERT INTO mesh.peer AS p (node_id, peer_id, domain_id, project_id, mesh_ip, public_key,
                              credential_generation, created_at)
  SELECT e.node_id, e.peer_id, e.domain_id, e.project_id, e.mesh_ip::inet, e.public_key,
         e.generation, statement_timestamp()
    FROM unnest(p_node_ids, p_peer_ids, p_domain_ids, p_project_ids, p_mesh_ips, p_public_keys,
                p_generations)
         AS e (node_id, peer_id, domain_id, project_id, mesh_ip, public_key, generation)
   ORDER BY e.node_id
  ON CONFLICT (node_id) DO UPDATE
    SET credential_generation = excluded.credential_generation, credential_revoked_at = NULL
    WHERE p.credential_generation < excluded.credential_generation;
  SELECT true
$$;

-- The Node has a newer credential. Generations only grow, so events may come late or twice.
CREATE FUNCTION mesh.port_project_credentials_issued(p_node_ids uuid[], p_generations bigint[])
RETURNS boolean
LANGUAGE sql SECURITY DEFINER
SET search_path = mesh, pg_temp
AS $$
  UPDATE mesh.peer AS p
     SET credential_generation = e.generation, credential_revoked_at = NULL
    FROM unnest(p_node_ids, p_generations) AS e (node_id, generation)
   WHERE p.node_id = e.node_id AND p.credential_generation < e.generation;
  SELECT true
$$;

-- The Node's credential up to this generation is worth nothing any more.
CREATE FUNCTION mesh.port_project_credentials_revoked(p_node_ids uuid[], p_generations bigint[])
RETURNS boolean
LANGUAGE sql SECURITY DEFINER
SET search_path = mesh, pg_temp
AS $$
  UPDATE mesh.peer AS p
     SET credential_revoked_at = statement_timestamp()
    FROM unnest(p_node_ids, p_generations) AS e (node_id, generation)
   WHERE p.node_id = e.node_id AND p.credential_generation <= e.generation
     AND p.credential_revoked_at IS NULL;
  SELECT true
$$;

-- The Node has left the mesh: nobody's peer from now on.
CREATE FUNCTION mesh.port_project_nodes_deregistered(p_node_ids uuid[]) RETURNS boolean
LANGUAGE sql SECURITY DEFINER
SET search_path = mesh, pg_temp
AS $$
  UPDATE mesh.peer SET deregistered_at = statement_timestamp()
   WHERE node_id = ANY (p_node_ids) AND deregistered_at IS NULL;
  SELECT true
$$;

-- px.peers/1 snapshot: the Domain's live peers but one, by ascending node id.
CREATE FUNCTION mesh.port_peer_snapshot(p_domain_id uuid, p_except uuid)
RETURNS TABLE (node_id uuid, mesh_ip text, public_key text, fallback_endpoint text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = mesh, pg_temp
AS $$
  SELECT p.node_id, host(p.mesh_ip), encode(p.public_key, 'base64'),
         coalesce(p.fallback_endpoint, '')
    FROM mesh.peer AS p
   WHERE p.domain_id = p_domain_id AND p.deregistered_at IS NULL AND p.node_id <> p_except
   ORDER BY p.node_id
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA mesh FROM PUBLIC;
GRANT USAGE ON SCHEMA mesh TO port_peers;
GRANT EXECUTE ON FUNCTION mesh.port_peer_snapshot(uuid, uuid) TO port_peers, plexsphere_mesh;
GRANT EXECUTE ON FUNCTION
  mesh.port_project_nodes_registered(uuid[], uuid[], uuid[], uuid[], text[], bytea[], bigint[]),
  mesh.port_project_credentials_issued(uuid[], bigint[]),
  mesh.port_project_credentials_revoked(uuid[], bigint[]),
  mesh.port_project_nodes_deregistered(uuid[]) TO port_outbox, plexsphere_mesh;

-- The runtime role reads peers and writes what a heartbeat tells; it cannot make, move or delete one.
GRANT SELECT ON mesh.peer TO plexsphere_mesh;
GRANT UPDATE (last_heartbeat_at, healthy_since, binary_checksum, binary_version, nat_summary)
  ON mesh.peer TO plexsphere_mesh;
