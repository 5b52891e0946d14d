-- What one registration runs, statement by statement as the core does, for pgbench -M prepared. The
-- parameters come with the token's look-up: a row of bench.work, see work.sql. Without the changes of
-- role and the transactions around single reads that the core adds: they are ours, not the work's.
\set i :i + 1
\set n :i * :clients + :client_id

-- identity: token.by_selector
SELECT w.*, t.id AS token_id, t.domain_id, t.project_id, t.kind, t.env_prefix, t.issued_by_user_id,
       t.issued_at, t.expires_at, t.consumed_at, t.revoked_at, t.token_hash,
       t.consumed_nonce_sha256, t.consumed_by_node_id
FROM bench.work w JOIN identity.bootstrap_token t ON t.selector = w.selector WHERE w.n = :n
\gset

-- tenancy: resource.place
SELECT p.domain_id AS place_domain, p.id AS place_project, r.id AS resource_id,
       r.kind AS resource_kind, coalesce(r.external_ref, r.id::text) AS place_handle,
       d.mesh_cidr::text AS mesh_cidr, s.sub_range::text AS sub_range
FROM tenancy.projects p
JOIN tenancy.domains d ON d.id = p.domain_id
LEFT JOIN tenancy.project_mesh_ip_reservations s ON s.project_id = p.id
LEFT JOIN LATERAL (
  SELECT * FROM tenancy.resources x
  WHERE x.project_id = p.id AND (x.id = NULL::uuid OR (NULL::uuid IS NULL AND x.external_ref = :handle::text))
  LIMIT 1
) r ON true
WHERE p.id = :project_id::uuid
\gset

BEGIN;
-- tenancy: resource.pin
SELECT domain_id, project_id, resource_id, kind, handle, mesh_cidr, sub_range
FROM tenancy.port_pin_resource(:resource_id::uuid);
-- identity: token.consume
UPDATE identity.bootstrap_token SET consumed_at = :occurred_at::timestamptz,
       consumed_nonce_sha256 = :nonce_sha256::bytea, consumed_by_node_id = :node_id::uuid
WHERE id = :token_id::uuid AND project_id = :project_id::uuid AND kind = :kind
  AND consumed_at IS NULL AND revoked_at IS NULL AND expires_at > :occurred_at::timestamptz
RETURNING id;
-- mesh: ipam.allocate
SELECT address AS mesh_ip, pool, crossed_percent, used, capacity
FROM mesh.port_take_address(:domain_id::uuid, :mesh_cidr::text, ''::text, :node_id::uuid,
                            86400000, 2000)
\gset
-- identity: node.insert
WITH node AS (INSERT INTO identity.node (id, domain_id, project_id, resource_id, resource_handle,
    kind, mesh_ip, public_key, bootstrap_token_id, registered_at, state)
  VALUES (:node_id::uuid, :domain_id::uuid, :project_id::uuid, :resource_id::uuid, :handle,
    :resource_kind, :mesh_ip::text::inet, :public_key::bytea, :token_id::uuid,
    :occurred_at::timestamptz, 'ready') RETURNING id)
INSERT INTO identity.node_secret_key (id, node_id, generation, digest, wrapped_nsk, wrap_key_id,
    wrap_key_version, replay_count, created_at)
  SELECT :key_id::uuid, node.id, 1::bigint, :digest::bytea, :wrapped_nsk::bytea,
    :nsk_wrap_key::uuid, :nsk_wrap_version::bigint::integer, 0::bigint::integer,
    :occurred_at::timestamptz FROM node;
-- authz: authz.write
SELECT * FROM authz.port_write(ARRAY['node']::text[], ARRAY[:node_id]::text[],
    ARRAY['parent']::text[], ARRAY['project']::text[], ARRAY[:project_id]::text[],
    ARRAY['']::text[]);
-- mesh: peers.snapshot
SELECT node_id, mesh_ip, public_key, fallback_endpoint
FROM mesh.port_peer_snapshot(:domain_id::uuid, :node_id::uuid);
-- mesh: project.register_peers
SELECT node_id FROM mesh.port_register_peers(ARRAY[:node_id]::uuid[], ARRAY[:peer_id]::uuid[],
    ARRAY[:domain_id]::uuid[], ARRAY[:project_id]::uuid[], ARRAY[:mesh_ip]::text[],
    ARRAY[:public_key]::bytea[], ARRAY[1]::bigint[], ARRAY[:kid]::uuid[],
    ARRAY[:psk_wrap_key]::uuid[], ARRAY[:psk_wrap_version]::bigint[],
    ARRAY[:wrapped_psk]::bytea[]);
-- tenancy: node.registered
SELECT done FROM tenancy.port_project_nodes_registered(ARRAY[:node_id]::uuid[],
    ARRAY[:resource_id]::uuid[]) AS done;
-- platform: outbox.append
SELECT * FROM platform.port_outbox_append(ARRAY[:node_event, :peer_event]::uuid[],
    ARRAY[:domain_id, :domain_id]::uuid[],
    ARRAY['tenancy.NodeRegistered', 'peer_registered']::text[], ARRAY['node', 'node']::text[],
    ARRAY[:node_id, :node_id]::uuid[],
    ARRAY[format(:node_payload::text, :mesh_ip::text), format(:peer_payload::text, :mesh_ip::text)]::text[],
    ARRAY[:correlation_id, :correlation_id]::text[]);
-- audit: append
SELECT appended FROM audit.port_append(ARRAY[:domain_id, :domain_id]::uuid[],
    ARRAY[:audit_head, :audit_head]::bytea[], ARRAY[:consume_tail, :register_tail]::bytea[],
    ARRAY['node', 'node']::text[], ARRAY[:node_id, :node_id]::text[],
    ARRAY[:salt, :salt]::bytea[], ARRAY[:source_ip, :source_ip]::text[],
    ARRAY[:user_agent, :user_agent]::text[], ARRAY[NULL, NULL]::text[]);
COMMIT;
