-- What Nodes tell of themselves beside heartbeats: where they were seen, what they can do, and
-- entries for the state they pull. Each row is written in a transaction that holds the Node's row
-- of mesh.peer, so its credential is checked and its writers stand in line.

-- The last address a Node was seen under. Topology and events read it; the state has no member for
-- it, and a peer's fallback_endpoint is a bridge's, not this.
CREATE TABLE mesh.peer_endpoint (
  node_id     uuid PRIMARY KEY REFERENCES mesh.peer (node_id) ON DELETE CASCADE,
  endpoint    text        NOT NULL,  -- canonical host:port
  nat_type    text        NOT NULL
    CHECK (nat_type IN ('full_cone', 'restricted', 'port_restricted', 'symmetric', 'unknown')),
  reported_at timestamptz NOT NULL,  -- by the Node's clock
  accepted_at timestamptz NOT NULL,
  stale_after timestamptz NOT NULL,
  staled_at   timestamptz            -- when the sweep told that it is stale; null: it has not
);
CREATE INDEX peer_endpoint_due ON mesh.peer_endpoint (stale_after) WHERE staled_at IS NULL;

-- Entries of the blocks `state` and `reports`: the platform's metadata and data, the workload's
-- reports.
CREATE TABLE mesh.state_entry (
  node_id      uuid        NOT NULL REFERENCES mesh.peer (node_id) ON DELETE CASCADE,
  kind         text        NOT NULL CHECK (kind IN ('metadata', 'data', 'report')),
  key          text COLLATE "C" NOT NULL,
  value        text        NOT NULL CHECK (octet_length(value) <= 4096),
  workload_tag text,
  accepted_at  timestamptz NOT NULL,
  PRIMARY KEY (node_id, kind, key)
);

-- The last capability manifest of a Node. Hooks are sorted by name, so that two equal manifests are
-- equal values.
CREATE TABLE mesh.capability_manifest (
  node_id                  uuid PRIMARY KEY REFERENCES mesh.peer (node_id) ON DELETE CASCADE,
  binary_version           text        NOT NULL,
  binary_checksum          bytea       NOT NULL CHECK (octet_length(binary_checksum) = 32),
  ssh_host_key_fingerprint text        NOT NULL,  -- empty: none told
  declared_hooks           jsonb       NOT NULL,
  plexd_hooks              jsonb       NOT NULL,
  reported_at              timestamptz NOT NULL
);
CREATE INDEX peer_by_project ON mesh.peer (project_id, node_id) WHERE deregistered_at IS NULL;

-- A Node that leaves takes with it what it told.
CREATE FUNCTION mesh.forget_reports() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = mesh, pg_temp
AS $$
BEGIN
  DELETE FROM mesh.peer_endpoint WHERE node_id = NEW.node_id;
  DELETE FROM mesh.state_entry WHERE node_id = NEW.node_id;
  DELETE FROM mesh.capability_manifest WHERE node_id = NEW.node_id;
  RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION mesh.forget_reports() FROM PUBLIC;
CREATE TRIGGER forget_reports AFTER UPDATE OF deregistered_at ON mesh.peer
  FOR EACH ROW WHEN (NEW.deregistered_at IS NOT NULL AND OLD.deregistered_at IS NULL)
  EXECUTE FUNCTION mesh.forget_reports();

GRANT SELECT, INSERT, UPDATE ON mesh.peer_endpoint, mesh.capability_manifest TO plexsphere_mesh;
GRANT SELECT, INSERT, UPDATE, DELETE ON mesh.state_entry TO plexsphere_mesh;
