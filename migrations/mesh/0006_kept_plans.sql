-- What every registration calls, in PL/pgSQL: a function in SQL that is SECURITY DEFINER or has settings
-- of its own cannot be inlined, and is parsed and planned anew by each statement that calls it. The
-- statements of PL/pgSQL keep their plans as long as the session. What the functions do is as before.

CREATE OR REPLACE FUNCTION mesh.port_take_address(p_domain_id uuid, p_mesh_cidr text,
                                                  p_sub_range_cidr text, p_node_id uuid,
                                                  p_cool_down_ms bigint, p_lock_wait_ms bigint)
RETURNS TABLE (address text, pool text, crossed_percent bigint, used bigint,
               capacity bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = mesh, pg_temp
AS $$
DECLARE
  v_taken record;
  v_alarm record;
BEGIN
  v_taken := mesh.take_address(p_domain_id, p_mesh_cidr, p_sub_range_cidr, p_node_id,
                               p_cool_down_ms, p_lock_wait_ms);
  v_alarm := mesh.move_alarm(p_domain_id, v_taken.pool);
  RETURN QUERY SELECT host(v_taken.address), v_taken.pool::text, v_alarm.crossed::bigint,
                      v_alarm.used, least(v_alarm.capacity, 9223372036854775807)::bigint;
END
$$;

CREATE OR REPLACE FUNCTION mesh.alarm_of(p_used bigint, p_capacity numeric, p_told smallint)
RETURNS smallint
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  v_threshold smallint;
BEGIN
  IF p_capacity > 0 THEN
    FOREACH v_threshold IN ARRAY '{95,80}'::smallint[] LOOP
      IF p_used * 100 >= p_capacity * v_threshold
         OR v_threshold <= p_told AND (p_used * 100 >= p_capacity * (v_threshold - 5)
                                       OR (p_used + 1) * 100 >= p_capacity * v_threshold) THEN
        RETURN v_threshold;
      END IF;
    END LOOP;
  END IF;
  RETURN 0;
END
$$;

CREATE OR REPLACE FUNCTION mesh.port_peer_snapshot(p_domain_id uuid, p_except uuid)
RETURNS TABLE (node_id uuid, mesh_ip text, public_key text, fallback_endpoint text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = mesh, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT p.node_id, host(p.mesh_ip), encode(p.public_key, 'base64'),
         coalesce(p.fallback_endpoint, '')
    FROM mesh.peer AS p
   WHERE p.domain_id = p_domain_id AND p.deregistered_at IS NULL AND p.node_id <> p_except
   ORDER BY p.node_id;
END
$$;

CREATE OR REPLACE FUNCTION mesh.port_register_peers(
  p_node_ids uuid[], p_peer_ids uuid[], p_domain_ids uuid[], p_project_ids uuid[],
  p_mesh_ips text[], p_public_keys bytea[], p_generations bigint[], p_kids uuid[],
  p_wrap_key_ids uuid[], p_wrap_key_versions bigint[], p_wrapped bytea[])
RETURNS TABLE (node_id uuid)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = mesh, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
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
  SELECT told.node_id FROM told WHERE told.is_new;
END
$$;
