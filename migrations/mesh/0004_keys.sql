-- Mesh keys: one wrapped secret for each Node, and the rotations of its public key.

-- The secret of a Node, sealed under its Domain's wrap key. The secret between two Nodes is that of
-- both ends, so a rotation writes one row and never one for each peer. Nothing unseals it yet: no
-- operation of the contract carries it.
CREATE TABLE mesh.node_secret (
  kid              uuid PRIMARY KEY,
  node_id          uuid        NOT NULL REFERENCES mesh.peer (node_id) ON DELETE CASCADE,
  wrap_key_id      uuid        NOT NULL,
  wrap_key_version integer     NOT NULL CHECK (wrap_key_version >= 1),
  wrapped          bytea,      -- erased when it retires
  created_at       timestamptz NOT NULL,
  retired_at       timestamptz,
  CONSTRAINT node_secret_erased CHECK ((retired_at IS NULL) = (wrapped IS NOT NULL))
);
CREATE UNIQUE INDEX node_secret_live ON mesh.node_secret (node_id) WHERE retired_at IS NULL;

-- pending -> completed, by the Node's new key, or -> superseded, when the Node leaves.
CREATE TABLE mesh.peer_key_rotation (
  id           uuid PRIMARY KEY,
  node_id      uuid        NOT NULL REFERENCES mesh.peer (node_id) ON DELETE CASCADE,
  state        text        NOT NULL CHECK (state IN ('pending', 'completed', 'superseded')),
  requested_at timestamptz NOT NULL,
  ended_at     timestamptz,
  public_key   bytea CHECK (octet_length(public_key) = 32),         -- what completed it,
  kid          uuid REFERENCES mesh.node_secret (kid) ON DELETE CASCADE,  -- and its receipt
  CONSTRAINT rotation_end CHECK ((state = 'pending') = (ended_at IS NULL)),
  CONSTRAINT rotation_receipt CHECK
    ((state = 'completed') = (public_key IS NOT NULL) AND (public_key IS NULL) = (kid IS NULL))
);
CREATE UNIQUE INDEX peer_key_rotation_pending ON mesh.peer_key_rotation (node_id)
  WHERE state = 'pending';
CREATE INDEX peer_key_rotation_completed ON mesh.peer_key_rotation (node_id, ended_at)
  WHERE state = 'completed';
CREATE INDEX peer_key_rotation_kid ON mesh.peer_key_rotation (kid) WHERE kid IS NOT NULL;

-- The Node's new key and new secret, and the end of its pending rotation. The caller holds the row of
-- mesh.peer and has read that this rotation pends. PX001 rotation_not_pending.
CREATE FUNCTION mesh.complete_key_rotation(
  p_rotation_id uuid, p_node_id uuid, p_public_key bytea, p_kid uuid, p_wrap_key_id uuid,
  p_wrap_key_version bigint, p_wrapped bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = mesh, pg_temp
AS $$
BEGIN
  UPDATE mesh.peer SET public_key = p_public_key
   WHERE node_id = p_node_id AND deregistered_at IS NULL;
  UPDATE mesh.node_secret SET retired_at = statement_timestamp(), wrapped = NULL
   WHERE node_id = p_node_id AND retired_at IS NULL;
  INSERT INTO mesh.node_secret (kid, node_id, wrap_key_id, wrap_key_version, wrapped, created_at)
  VALUES (p_kid, p_node_id, p_wrap_key_id, p_wrap_key_version, p_wrapped, statement_timestamp());
  UPDATE mesh.peer_key_rotation
     SET state = 'completed', ended_at = statement_timestamp(), public_key = p_public_key,
         kid = p_kid
   WHERE id = p_rotation_id AND node_id = p_node_id AND state = 'pending';
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'PX001', MESSAGE = 'rotation_not_pending';
  END IF;
  RETURN true;
END
$$;

-- tenancy.NodeRegistered, with the first secret of each Node. Equal arrays, one item per event. Told
-- again of a Node (a replayed registration), only a newer credential is taken over, and a secret if
-- it has none. Returns the Nodes that are new here.
CREATE FUNCTION mesh.port_register_peers(
  p_node_ids uuid[], p_peer_ids uuid[], p_domain_ids uuid[], p_project_ids uuid[],
  p_mesh_ips text[], p_public_keys bytea[], p_generations bigint[], p_kids uuid[],
  p_wrap_key_ids uuid[], p_wrap_key_versions bigint[], p_wrapped bytea[])
RETURNS TABLE (node_id uuid)
LANGUAGE sql SECURITY DEFINER
SET search_path = mesh, pg_temp
AS $$
  WITH told AS (
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
      WHERE p.credential_generation < excluded.credential_generation
    RETURNING p.node_id, p.xmax = 0 AS is_new),
  sealed AS (
    INSERT INTO mesh.node_secret (kid, node_id, wrap_key_id, wrap_key_version, wrapped, created_at)
    SELECT s.kid, s.node_id, s.wrap_key_id, s.wrap_key_version, s.wrapped, statement_timestamp()
      FROM unnest(p_node_ids, p_kids, p_wrap_key_ids, p_wrap_key_versions, p_wrapped)
           AS s (node_id, kid, wrap_key_id, wrap_key_version, wrapped)
    ON CONFLICT (node_id) WHERE retired_at IS NULL DO NOTHING)
  SELECT told.node_id FROM told WHERE told.is_new
$$;

-- tenancy.NodeDeregistered: nobody's peer from now on. Its address begins to cool down, its secret is
-- erased, a pending rotation is superseded. Returns the Nodes that were live until now.
CREATE FUNCTION mesh.port_deregister_peers(p_node_ids uuid[])
RETURNS TABLE (node_id uuid, peer_id uuid)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = mesh, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  v_node_id uuid;
BEGIN
  FOR v_node_id IN SELECT DISTINCT id FROM unnest(p_node_ids) AS id ORDER BY id LOOP
    RETURN QUERY UPDATE mesh.peer AS p SET deregistered_at = statement_timestamp()
                  WHERE p.node_id = v_node_id AND p.deregistered_at IS NULL
                 RETURNING p.node_id, p.peer_id;
    CONTINUE WHEN NOT FOUND;
    UPDATE mesh.node_secret AS s SET retired_at = statement_timestamp(), wrapped = NULL
     WHERE s.node_id = v_node_id AND s.retired_at IS NULL;
    UPDATE mesh.peer_key_rotation AS r SET state = 'superseded', ended_at = statement_timestamp()
     WHERE r.node_id = v_node_id AND r.state = 'pending';
    PERFORM mesh.port_release_address(v_node_id);
  END LOOP;
END
$$;

REVOKE ALL ON FUNCTION
  mesh.complete_key_rotation(uuid, uuid, bytea, uuid, uuid, bigint, bytea),
  mesh.port_register_peers(uuid[], uuid[], uuid[], uuid[], text[], bytea[], bigint[], uuid[],
                           uuid[], bigint[], bytea[]),
  mesh.port_deregister_peers(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  mesh.complete_key_rotation(uuid, uuid, bytea, uuid, uuid, bigint, bytea) TO plexsphere_mesh;
GRANT EXECUTE ON FUNCTION
  mesh.port_register_peers(uuid[], uuid[], uuid[], uuid[], text[], bytea[], bigint[], uuid[],
                           uuid[], bigint[], bytea[]),
  mesh.port_deregister_peers(uuid[]) TO port_outbox, plexsphere_mesh;

-- The runtime role opens rotations and reads who has which key; what is sealed it cannot read.
GRANT SELECT (kid, node_id, wrap_key_version, retired_at) ON mesh.node_secret TO plexsphere_mesh;
GRANT SELECT, INSERT ON mesh.peer_key_rotation TO plexsphere_mesh;
