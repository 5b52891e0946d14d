-- Mesh addresses: who holds which, and which one a pool gives next.
--
-- A pool is an address range of a Domain: its mesh CIDR, or the sub-range a Project has reserved in
-- it. Allocation never scans: a pool remembers its next never-used address, and once those are used
-- up it gives back the longest released one whose cool-down has passed.

CREATE TABLE mesh.address_pool (
  domain_id    uuid NOT NULL,
  pool         cidr NOT NULL,
  next_address inet,             -- null: each address has been given out at least once
  PRIMARY KEY (domain_id, pool)
);

-- One row per address ever given out; a live one has no released_at. The primary key has the last
-- word on duplicates, whatever the allocator thinks.
CREATE TABLE mesh.address (
  domain_id    uuid        NOT NULL,
  address      inet        NOT NULL,
  pool         cidr        NOT NULL,
  node_id      uuid        NOT NULL,  -- of the holder, or of the last one
  allocated_at timestamptz NOT NULL,
  released_at  timestamptz,
  PRIMARY KEY (domain_id, address),
  CONSTRAINT address_is_one_host
    CHECK (masklen(address) = CASE family(address) WHEN 4 THEN 32 ELSE 128 END)
);
CREATE UNIQUE INDEX address_live_node ON mesh.address (node_id) WHERE released_at IS NULL;
CREATE INDEX address_released ON mesh.address (domain_id, pool, released_at, address)
  WHERE released_at IS NOT NULL;

-- Ranges that Projects have reserved, told by tenancy's events: a Domain's own pool leaves them out.
CREATE TABLE mesh.reserved_range (
  project_id uuid PRIMARY KEY,
  domain_id  uuid NOT NULL,
  range      cidr NOT NULL
);
CREATE INDEX reserved_range_lookup ON mesh.reserved_range USING gist (range inet_ops);

-- The network address and the first host are never given out; see last_usable for the other end.
CREATE FUNCTION mesh.first_usable(p_pool cidr) RETURNS inet
LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT host(network(p_pool))::inet + 2
$$;

-- The last address of the pool, without the broadcast address that IPv4 has.
CREATE FUNCTION mesh.last_usable(p_pool cidr) RETURNS inet
LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT host(broadcast(p_pool))::inet - CASE family(p_pool) WHEN 4 THEN 1 ELSE 0 END
$$;

-- Gives the Node `p_address`, unless somebody holds it or it still cools down.
CREATE FUNCTION mesh.claim_address(p_domain_id uuid, p_pool cidr, p_address inet, p_node_id uuid,
                                   p_cool_down interval) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO mesh.address AS a (domain_id, address, pool, node_id, allocated_at)
  VALUES (p_domain_id, p_address, p_pool, p_node_id, clock_timestamp())
  ON CONFLICT (domain_id, address) DO UPDATE
    SET pool = excluded.pool, node_id = excluded.node_id, allocated_at = excluded.allocated_at,
        released_at = NULL
    WHERE a.released_at <= clock_timestamp() - p_cool_down;
  RETURN FOUND;
END
$$;

-- The next never-used address of the pool, or null. `p_flat` leaves out what Projects reserved.
-- Every address it passes over is passed over once: the cursor only moves on.
CREATE FUNCTION mesh.take_fresh_address(p_domain_id uuid, p_pool cidr, p_flat boolean,
                                        p_node_id uuid, p_cool_down interval) RETURNS inet
LANGUAGE plpgsql AS $$
DECLARE
  v_last  inet := mesh.last_usable(p_pool);
  v_at    inet;
  v_skip  cidr;
  v_taken inet;
BEGIN
  INSERT INTO mesh.address_pool (domain_id, pool, next_address)
  VALUES (p_domain_id, p_pool, mesh.first_usable(p_pool))
  ON CONFLICT (domain_id, pool) DO NOTHING;
  SELECT next_address INTO v_at FROM mesh.address_pool
   WHERE domain_id = p_domain_id AND pool = p_pool FOR UPDATE;

  WHILE v_at <= v_last AND v_taken IS NULL LOOP
    v_skip := NULL;
    IF p_flat THEN
      SELECT range INTO v_skip FROM mesh.reserved_range
       WHERE domain_id = p_domain_id AND range >>= v_at LIMIT 1;
    END IF;
    IF v_skip IS NOT NULL THEN
      v_at := host(broadcast(v_skip))::inet;
    ELSIF mesh.claim_address(p_domain_id, p_pool, v_at, p_node_id, p_cool_down) THEN
      v_taken := v_at;
    END IF;
    v_at := CASE WHEN v_at < v_last THEN v_at + 1 END;
  END LOOP;

  UPDATE mesh.address_pool SET next_address = v_at
   WHERE domain_id = p_domain_id AND pool = p_pool AND next_address IS DISTINCT FROM v_at;
  RETURN v_taken;
END
$$;

-- The address of the pool that was released first, if its cool-down has passed, or null.
CREATE FUNCTION mesh.take_released_address(p_domain_id uuid, p_pool cidr, p_flat boolean,
                                           p_node_id uuid, p_cool_down interval) RETURNS inet
LANGUAGE sql AS $$
  UPDATE mesh.address AS a
     SET node_id = p_node_id, allocated_at = clock_timestamp(), released_at = NULL
   WHERE (a.domain_id, a.address) = (
           SELECT r.domain_id, r.address FROM mesh.address AS r
            WHERE r.domain_id = p_domain_id AND r.pool = p_pool
              AND r.released_at <= clock_timestamp() - p_cool_down
              AND NOT (p_flat AND EXISTS (
                    SELECT FROM mesh.reserved_range AS v
                     WHERE v.domain_id = p_domain_id AND v.range >>= r.address))
            ORDER BY r.released_at, r.address LIMIT 1)
  RETURNING a.address
$$;

-- px.ipam/1 allocate. From `p_sub_range_cidr` alone when it is not empty, else from `p_mesh_cidr`.
-- One Domain's allocations come one after the other, by an advisory lock held until the caller's
-- transaction ends; who waits longer than `p_lock_wait_ms` fails with a lock time-out (55P03).
-- PX001 pool_exhausted, subrange_exhausted, subrange_outside_pool.
CREATE FUNCTION mesh.port_allocate_address(p_domain_id uuid, p_mesh_cidr text,
                                           p_sub_range_cidr text, p_node_id uuid,
                                           p_cool_down_ms bigint, p_lock_wait_ms bigint)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = mesh, pg_temp
SET lock_timeout = '2s'
AS $$
DECLARE
  v_mesh      cidr     := p_mesh_cidr::cidr;
  v_flat      boolean  := coalesce(p_sub_range_cidr, '') = '';
  v_pool      cidr     := CASE WHEN v_flat THEN v_mesh ELSE p_sub_range_cidr::cidr END;
  v_cool_down interval := p_cool_down_ms * interval '1 millisecond';
  v_address   inet;
BEGIN
  IF NOT v_pool <<= v_mesh THEN
    RAISE EXCEPTION USING ERRCODE = 'PX001', MESSAGE = 'subrange_outside_pool';
  END IF;
  -- SET belongs to the function and ends with it; set_config is nobody's in this database.
  EXECUTE format('SET LOCAL lock_timeout = %s', greatest(p_lock_wait_ms, 1));
  -- A statement of its own: the next one must see what the lock's last holder committed.
  PERFORM pg_advisory_xact_lock(hashtextextended('plexsphere.ipam.' || p_domain_id, 0));

  v_address := mesh.take_fresh_address(p_domain_id, v_pool, v_flat, p_node_id, v_cool_down);
  IF v_address IS NULL THEN
    v_address := mesh.take_released_address(p_domain_id, v_pool, v_flat, p_node_id, v_cool_down);
  END IF;
  IF v_address IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'PX001',
      MESSAGE = CASE WHEN v_flat THEN 'pool_exhausted' ELSE 'subrange_exhausted' END;
  END IF;
  RETURN host(v_address);
END
$$;

-- px.ipam/1 release. False when the Node holds no address.
CREATE FUNCTION mesh.port_release_address(p_node_id uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = mesh, pg_temp
AS $$
BEGIN
  UPDATE mesh.address SET released_at = clock_timestamp()
   WHERE node_id = p_node_id AND released_at IS NULL;
  RETURN FOUND;
END
$$;

-- Drops what the Project had reserved, unless it is `p_keep`. Addresses that the Domain's pool has
-- passed over may be given out again: its cursor goes back, once, to the start of that range.
CREATE FUNCTION mesh.forget_reserved_range(p_project_id uuid, p_keep cidr) RETURNS void
LANGUAGE sql AS $$
  WITH gone AS (
    DELETE FROM mesh.reserved_range
     WHERE project_id = p_project_id AND range IS DISTINCT FROM p_keep
    RETURNING domain_id, range)
  UPDATE mesh.address_pool AS p
     SET next_address = greatest(mesh.first_usable(p.pool),
                                 least(p.next_address, host(network(gone.range))::inet))
    FROM gone WHERE p.domain_id = gone.domain_id AND p.pool >>= gone.range
$$;

-- What a Project has reserved now; empty or null: nothing. Equal arrays, one item per event, in
-- their order.
CREATE FUNCTION mesh.port_project_reserved_ranges(p_domain_ids uuid[], p_project_ids uuid[],
                                                  p_ranges text[]) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = mesh, pg_temp
AS $$
DECLARE
  v_range cidr;
BEGIN
  FOR i IN 1 .. cardinality(p_project_ids) LOOP
    v_range := nullif(p_ranges[i], '')::cidr;
    PERFORM mesh.forget_reserved_range(p_project_ids[i], v_range);
    IF v_range IS NOT NULL THEN
      INSERT INTO mesh.reserved_range (project_id, domain_id, range)
      VALUES (p_project_ids[i], p_domain_ids[i], v_range)
      ON CONFLICT (project_id) DO NOTHING;
    END IF;
  END LOOP;
  RETURN true;
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA mesh FROM PUBLIC;
GRANT USAGE ON SCHEMA mesh TO plexsphere_mesh, port_ipam, port_outbox;
GRANT EXECUTE ON FUNCTION
  mesh.port_allocate_address(uuid, text, text, uuid, bigint, bigint),
  mesh.port_release_address(uuid) TO port_ipam, plexsphere_mesh;
GRANT EXECUTE ON FUNCTION mesh.port_project_reserved_ranges(uuid[], uuid[], text[])
  TO port_outbox, plexsphere_mesh;
