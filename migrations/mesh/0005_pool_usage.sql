-- How full pools are: each knows its live addresses, its capacity, and the threshold it is past.
--
-- An address is of one pool at a time: of the range that a Project reserved around it, else of the
-- Domain's own. A reservation that comes or goes takes the addresses in it along.
--
-- What is replaced here keeps its signature, parameters without use included: the version before
-- this one calls it, and so does a call that waits for a lock while this is installed. For the same
-- reason triggers count, and mesh.claim_address stays though nothing new calls it.

LOCK TABLE mesh.reserved_range IN SHARE ROW EXCLUSIVE MODE;
LOCK TABLE mesh.address_pool IN ACCESS EXCLUSIVE MODE;
LOCK TABLE mesh.address IN SHARE ROW EXCLUSIVE MODE;

ALTER TABLE mesh.address_pool
  ADD COLUMN used bigint NOT NULL DEFAULT 0,  -- live addresses
  ADD COLUMN capacity numeric(39),            -- what it can give out; null: never measured
  ADD COLUMN alarm_percent smallint NOT NULL DEFAULT 0 CHECK (alarm_percent IN (0, 80, 95)),
  SET (fillfactor = 50);                      -- each address given or taken back rewrites the row

-- Held to the end of the transaction by whoever changes a Domain's addresses or ranges. A statement
-- of its own: the next one must see what the lock's last holder committed.
CREATE FUNCTION mesh.lock_addresses(p_domain_id uuid) RETURNS void
LANGUAGE sql AS $$
  SELECT pg_advisory_xact_lock(hashtextextended('plexsphere.ipam.' || p_domain_id, 0))
$$;

CREATE FUNCTION mesh.lowest(p_range cidr) RETURNS inet
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT host(network(p_range))::inet $$;

CREATE FUNCTION mesh.highest(p_range cidr) RETURNS inet
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT host(broadcast(p_range))::inet $$;

CREATE FUNCTION mesh.range_size(p_range cidr) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT 2::numeric ^ (CASE family(p_range) WHEN 4 THEN 32 ELSE 128 END - masklen(p_range))
$$;

CREATE FUNCTION mesh.count_given() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE mesh.address_pool SET used = used + 1
   WHERE domain_id = NEW.domain_id AND pool = NEW.pool;
  RETURN NULL;
END
$$;
CREATE TRIGGER count_given AFTER INSERT ON mesh.address
  FOR EACH ROW WHEN (NEW.released_at IS NULL) EXECUTE FUNCTION mesh.count_given();

CREATE FUNCTION mesh.count_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE mesh.address_pool AS p SET used = p.used + c.more
    FROM (SELECT e.domain_id, e.pool, sum(e.live) AS more
            FROM (SELECT domain_id, pool, 1 AS live FROM now_so WHERE released_at IS NULL
                  UNION ALL
                  SELECT domain_id, pool, -1 FROM was_so WHERE released_at IS NULL) AS e
           GROUP BY e.domain_id, e.pool HAVING sum(e.live) <> 0) AS c
   WHERE p.domain_id = c.domain_id AND p.pool = c.pool;
  RETURN NULL;
END
$$;
CREATE TRIGGER count_changed AFTER UPDATE ON mesh.address
  REFERENCING OLD TABLE AS was_so NEW TABLE AS now_so
  FOR EACH STATEMENT EXECUTE FUNCTION mesh.count_changed();

-- How many addresses the pools around `p_range` can give out. A pool's two lowest and, in IPv4, its
-- highest are nobody's; what Projects reserved in it takes from it only what it would have given.
CREATE FUNCTION mesh.measure_pools(p_domain_id uuid, p_range cidr) RETURNS void
LANGUAGE sql AS $$
  UPDATE mesh.address_pool AS p
     SET capacity = greatest(0,
           mesh.range_size(p.pool) - CASE family(p.pool) WHEN 4 THEN 3 ELSE 2 END
           - (SELECT coalesce(sum(mesh.range_size(r.range)
                 - CASE mesh.lowest(r.range) WHEN mesh.lowest(p.pool) + 1 THEN 1
                     WHEN mesh.lowest(p.pool) THEN least(mesh.range_size(r.range), 2) ELSE 0 END
                 - (family(p.pool) = 4 AND mesh.highest(r.range) = mesh.highest(p.pool))::int), 0)
                FROM mesh.reserved_range AS r
               WHERE r.domain_id = p.domain_id AND r.range << p.pool))
   WHERE p.domain_id = p_domain_id AND p.pool >>= p_range
$$;

-- Makes the known addresses of `p_range` this pool's, as far as no Project reserved them.
CREATE FUNCTION mesh.adopt_addresses(p_domain_id uuid, p_pool cidr, p_range cidr) RETURNS void
LANGUAGE sql AS $$
  UPDATE mesh.address AS a SET pool = p_pool
   WHERE a.domain_id = p_domain_id AND a.pool <> p_pool
     AND a.address BETWEEN mesh.lowest(p_range) AND mesh.highest(p_range)
     AND NOT EXISTS (SELECT FROM mesh.reserved_range AS r
                      WHERE r.domain_id = p_domain_id AND r.range >>= a.address
                        AND r.range <> p_pool)
$$;

-- Makes the pool, or measures it anew. Reads each known address of its range once. A Domain has one
-- pool of its own, a flat one: that of an earlier range of the Domain ends here.
CREATE FUNCTION mesh.open_pool(p_domain_id uuid, p_pool cidr, p_flat boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM mesh.address_pool AS p
   WHERE p_flat AND p.domain_id = p_domain_id AND p.pool <> p_pool
     AND NOT EXISTS (SELECT FROM mesh.reserved_range AS r
                      WHERE r.domain_id = p_domain_id AND r.range = p.pool);
  INSERT INTO mesh.address_pool (domain_id, pool, next_address, used)
  SELECT p_domain_id, p_pool, mesh.first_usable(p_pool), count(*) FROM mesh.address
   WHERE domain_id = p_domain_id AND pool = p_pool AND released_at IS NULL
     AND address BETWEEN mesh.lowest(p_pool) AND mesh.highest(p_pool)
  ON CONFLICT (domain_id, pool) DO UPDATE SET used = excluded.used;
  PERFORM mesh.adopt_addresses(p_domain_id, p_pool, p_pool);
  PERFORM mesh.measure_pools(p_domain_id, p_pool);
END
$$;

-- The highest threshold that a pool is past. One that was told stays until the pool is five points
-- below it and the next Node would not cross it again.
CREATE FUNCTION mesh.alarm_of(p_used bigint, p_capacity numeric, p_told smallint) RETURNS smallint
LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(max(t), 0)::smallint FROM unnest('{80,95}'::smallint[]) AS t
   WHERE p_capacity > 0
     AND (p_used * 100 >= p_capacity * t
          OR t <= p_told AND (p_used * 100 >= p_capacity * (t - 5)
                              OR (p_used + 1) * 100 >= p_capacity * t))
$$;

-- How full the pool is; `crossed` is the threshold that is to be told now, or null.
CREATE FUNCTION mesh.move_alarm(p_domain_id uuid, p_pool cidr, OUT crossed smallint,
                                OUT used bigint, OUT capacity numeric)
LANGUAGE plpgsql AS $$
DECLARE
  v_told smallint;
BEGIN
  SELECT p.used, p.capacity, p.alarm_percent INTO used, capacity, v_told
    FROM mesh.address_pool AS p WHERE p.domain_id = p_domain_id AND p.pool = p_pool;
  crossed := mesh.alarm_of(used, capacity, v_told);
  IF crossed <> v_told THEN
    UPDATE mesh.address_pool SET alarm_percent = crossed
     WHERE domain_id = p_domain_id AND pool = p_pool;
  END IF;
  crossed := CASE WHEN crossed > v_told THEN crossed END;
END
$$;

-- The last of the known addresses that follow `p_from` without a gap.
CREATE FUNCTION mesh.end_of_run(p_domain_id uuid, p_from inet, p_last inet) RETURNS inet
LANGUAGE sql STABLE AS $$
  SELECT k.address
    FROM (SELECT address, lead(address) OVER (ORDER BY address) AS following FROM mesh.address
           WHERE domain_id = p_domain_id AND address BETWEEN p_from AND p_last) AS k
   WHERE k.following - 1 IS DISTINCT FROM k.address ORDER BY k.address LIMIT 1
$$;

-- The next never-used address of the pool, or null. `p_flat` leaves out what Projects reserved.
-- Passes over a range, and over a run of known addresses, in one step.
CREATE OR REPLACE FUNCTION mesh.take_fresh_address(p_domain_id uuid, p_pool cidr, p_flat boolean,
                                                   p_node_id uuid, p_cool_down interval)
RETURNS inet
LANGUAGE plpgsql AS $$
DECLARE
  v_last  inet := mesh.last_usable(p_pool);
  v_from  inet;
  v_at    inet;
  v_skip  cidr;
  v_taken inet;
BEGIN
  PERFORM FROM mesh.address_pool
    WHERE domain_id = p_domain_id AND pool = p_pool AND capacity IS NOT NULL;
  IF NOT FOUND THEN
    PERFORM mesh.open_pool(p_domain_id, p_pool, p_flat);
  END IF;
  SELECT next_address INTO v_from FROM mesh.address_pool
   WHERE domain_id = p_domain_id AND pool = p_pool AND capacity > 0;
  v_at := v_from;
  WHILE v_at <= v_last AND v_taken IS NULL LOOP
    v_skip := NULL;
    IF p_flat THEN
      SELECT range INTO v_skip FROM mesh.reserved_range
       WHERE domain_id = p_domain_id AND range >>= v_at LIMIT 1;
    END IF;
    IF v_skip IS NOT NULL THEN
      v_at := mesh.highest(v_skip);
    ELSE
      INSERT INTO mesh.address (domain_id, address, pool, node_id, allocated_at)
      VALUES (p_domain_id, v_at, p_pool, p_node_id, clock_timestamp())
      ON CONFLICT (domain_id, address) DO NOTHING;
      IF FOUND THEN
        v_taken := v_at;
      ELSE
        v_at := mesh.end_of_run(p_domain_id, v_at, v_last);
      END IF;
    END IF;
    v_at := CASE WHEN v_at < v_last THEN v_at + 1 END;
  END LOOP;
  IF v_at IS DISTINCT FROM v_from THEN
    UPDATE mesh.address_pool SET next_address = v_at
     WHERE domain_id = p_domain_id AND pool = p_pool;
  END IF;
  RETURN v_taken;
END
$$;

-- From `p_sub_range_cidr` alone when it is not empty, else from `p_mesh_cidr`. Who waits longer than
-- `p_lock_wait_ms` for the Domain's lock fails with a lock time-out (55P03). PX001 pool_exhausted,
-- subrange_exhausted, subrange_outside_pool.
CREATE FUNCTION mesh.take_address(p_domain_id uuid, p_mesh_cidr text, p_sub_range_cidr text,
                                  p_node_id uuid, p_cool_down_ms bigint, p_lock_wait_ms bigint,
                                  OUT address inet, OUT pool cidr)
LANGUAGE plpgsql
SET lock_timeout = '2s'
AS $$
DECLARE
  v_mesh      cidr     := p_mesh_cidr::cidr;
  v_flat      boolean  := coalesce(p_sub_range_cidr, '') = '';
  v_cool_down interval := p_cool_down_ms * interval '1 millisecond';
BEGIN
  pool := CASE WHEN v_flat THEN v_mesh ELSE p_sub_range_cidr::cidr END;
  IF NOT pool <<= v_mesh THEN
    RAISE EXCEPTION USING ERRCODE = 'PX001', MESSAGE = 'subrange_outside_pool';
  END IF;
  -- SET belongs to the function and ends with it; set_config is nobody's in this database.
  EXECUTE format('SET LOCAL lock_timeout = %s', greatest(p_lock_wait_ms, 1));
  PERFORM mesh.lock_addresses(p_domain_id);

  -- A Project may have reserved all there is: that pool is not the Domain's then.
  IF NOT (v_flat AND EXISTS (SELECT FROM mesh.reserved_range AS r
                              WHERE r.domain_id = p_domain_id AND r.range >>= v_mesh)) THEN
    address := coalesce(
      mesh.take_fresh_address(p_domain_id, pool, v_flat, p_node_id, v_cool_down),
      mesh.take_released_address(p_domain_id, pool, v_flat, p_node_id, v_cool_down));
  END IF;
  IF address IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'PX001',
      MESSAGE = CASE WHEN v_flat THEN 'pool_exhausted' ELSE 'subrange_exhausted' END;
  END IF;
END
$$;

-- px.ipam/1 allocate: the address, the threshold it took the pool past or null, how full that is now
-- (a capacity above what bigint holds is told as that).
CREATE FUNCTION mesh.port_take_address(p_domain_id uuid, p_mesh_cidr text, p_sub_range_cidr text,
                                       p_node_id uuid, p_cool_down_ms bigint,
                                       p_lock_wait_ms bigint)
RETURNS TABLE (address text, pool text, crossed_percent bigint, used bigint,
               capacity bigint)
LANGUAGE sql SECURITY DEFINER
SET search_path = mesh, pg_temp
AS $$
  SELECT host(t.address), t.pool::text, m.crossed::bigint, m.used,
         least(m.capacity, 9223372036854775807)::bigint
    FROM mesh.take_address(p_domain_id, p_mesh_cidr, p_sub_range_cidr, p_node_id, p_cool_down_ms,
                           p_lock_wait_ms) AS t, mesh.move_alarm(p_domain_id, t.pool) AS m
$$;

-- As the version before asks, which cannot tell thresholds: the next that can, does.
CREATE OR REPLACE FUNCTION mesh.port_allocate_address(p_domain_id uuid, p_mesh_cidr text,
                                                      p_sub_range_cidr text, p_node_id uuid,
                                                      p_cool_down_ms bigint, p_lock_wait_ms bigint)
RETURNS text
LANGUAGE sql SECURITY DEFINER
SET search_path = mesh, pg_temp
AS $$
  SELECT host(t.address)
    FROM mesh.take_address(p_domain_id, p_mesh_cidr, p_sub_range_cidr, p_node_id, p_cool_down_ms,
                           p_lock_wait_ms) AS t
$$;

-- px.ipam/1 release. False when the Node holds no address.
CREATE OR REPLACE FUNCTION mesh.port_release_address(p_node_id uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = mesh, pg_temp
AS $$
DECLARE
  v_domain_id uuid;
  v_pool      cidr;
BEGIN
  SELECT domain_id INTO v_domain_id FROM mesh.address
   WHERE node_id = p_node_id AND released_at IS NULL;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM mesh.lock_addresses(v_domain_id);
  UPDATE mesh.address SET released_at = clock_timestamp()
   WHERE node_id = p_node_id AND released_at IS NULL RETURNING pool INTO v_pool;
  PERFORM mesh.move_alarm(v_domain_id, v_pool);
  RETURN v_pool IS NOT NULL;
END
$$;

-- Drops what the Project had reserved, unless it is `p_keep`. What the Domain's pool had to pass over
-- may be given out again: its cursor goes back, once, to the start of that range.
CREATE OR REPLACE FUNCTION mesh.forget_reserved_range(p_project_id uuid, p_keep cidr) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_gone mesh.reserved_range;
  v_pool cidr;
BEGIN
  DELETE FROM mesh.reserved_range
   WHERE project_id = p_project_id AND range IS DISTINCT FROM p_keep RETURNING * INTO v_gone;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  DELETE FROM mesh.address_pool WHERE domain_id = v_gone.domain_id AND pool = v_gone.range;
  UPDATE mesh.address_pool AS p
     SET next_address = greatest(mesh.first_usable(p.pool),
                                 least(p.next_address, mesh.lowest(v_gone.range)))
   WHERE p.domain_id = v_gone.domain_id AND p.pool >> v_gone.range
  RETURNING p.pool INTO v_pool;
  IF FOUND THEN
    PERFORM mesh.adopt_addresses(v_gone.domain_id, v_pool, v_gone.range);
    PERFORM mesh.measure_pools(v_gone.domain_id, v_gone.range);
  END IF;
END
$$;

CREATE OR REPLACE FUNCTION mesh.port_project_reserved_ranges(p_domain_ids uuid[],
                                                             p_project_ids uuid[], p_ranges text[])
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = mesh, pg_temp
AS $$
DECLARE
  v_told record;
BEGIN
  FOR v_told IN
    SELECT e.domain_id, e.project_id, nullif(e.range, '')::cidr AS range
      FROM unnest(p_domain_ids, p_project_ids, p_ranges)
           WITH ORDINALITY AS e (domain_id, project_id, range, place)
     ORDER BY e.domain_id, e.place LOOP
    CONTINUE WHEN v_told.range IS NOT DISTINCT FROM (
      SELECT r.range FROM mesh.reserved_range AS r WHERE r.project_id = v_told.project_id);
    PERFORM mesh.lock_addresses(v_told.domain_id);
    PERFORM mesh.forget_reserved_range(v_told.project_id, v_told.range);
    IF v_told.range IS NOT NULL THEN
      INSERT INTO mesh.reserved_range (project_id, domain_id, range)
      VALUES (v_told.project_id, v_told.domain_id, v_told.range);
      PERFORM mesh.open_pool(v_told.domain_id, v_told.range, false);
    END IF;
  END LOOP;
  RETURN true;
END
$$;

-- The fullest pools, fullest first; with each, how many pools there are and how many are past which
-- threshold.
CREATE FUNCTION mesh.fullest_pools(p_limit bigint)
RETURNS TABLE (domain_id uuid, pool text, used bigint, capacity double precision,
               alarm_percent bigint, pools bigint, past_80 bigint, past_95 bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = mesh, pg_temp
AS $$
  SELECT p.domain_id, p.pool::text, p.used, p.capacity::double precision, p.alarm_percent::bigint,
         count(*) OVER (), count(*) FILTER (WHERE p.used * 100 >= p.capacity * 80) OVER (),
         count(*) FILTER (WHERE p.used * 100 >= p.capacity * 95) OVER ()
    FROM mesh.address_pool AS p WHERE p.capacity > 0
   ORDER BY p.used / p.capacity DESC, p.domain_id, p.pool LIMIT p_limit
$$;

-- Pools of ranges that are not reserved any more end; all others are measured.
DELETE FROM mesh.address_pool AS p USING mesh.address_pool AS o
 WHERE o.domain_id = p.domain_id AND o.pool >> p.pool
   AND NOT EXISTS (SELECT FROM mesh.reserved_range AS r
                    WHERE r.domain_id = p.domain_id AND r.range IN (p.pool, o.pool));
DO $$
BEGIN
  PERFORM mesh.open_pool(domain_id, range, false) FROM mesh.reserved_range;
  PERFORM mesh.open_pool(domain_id, pool, false) FROM mesh.address_pool;
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA mesh FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  mesh.port_take_address(uuid, text, text, uuid, bigint, bigint) TO port_ipam, plexsphere_mesh;
GRANT EXECUTE ON FUNCTION mesh.fullest_pools(bigint) TO plexsphere_mesh;
