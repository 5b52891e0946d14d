-- The parameters of registration.sql: a row for each token that is live in the Projects of the setting
-- bench.projects, numbered so that consecutive ones are of different Projects. They are those of the
-- one Node that the core has enrolled in each Project, with new ids.
CREATE SCHEMA IF NOT EXISTS bench;
DROP TABLE IF EXISTS bench.work;

-- `text` with every pair's first replaced by its second.
CREATE OR REPLACE FUNCTION bench.rename(text, text[][]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  renamed text := $1;
BEGIN
  FOR i IN 1 .. array_length($2, 1) LOOP
    renamed := replace(renamed, $2[i][1], $2[i][2]);
  END LOOP;
  RETURN renamed;
END
$$;
-- A canonical audit record after its number. (Greedy throughout: one reluctant quantifier makes a whole
-- expression reluctant, and of the number only a digit would go.)
CREATE OR REPLACE FUNCTION bench.tail(text) RETURNS text LANGUAGE sql AS $$
  SELECT regexp_replace($1, '^[{]"v":1,"chain":"[^"]*","seq":[0-9]+', '')
$$;

CREATE TABLE bench.work AS
WITH site AS MATERIALIZED (
  SELECT project_id, at - 1 AS at, count(*) OVER () AS sites
  FROM unnest(current_setting('bench.projects')::uuid[]) WITH ORDINALITY AS p (project_id, at)),
example AS MATERIALIZED (
  SELECT site.*, n.id AS node_id, n.domain_id, n.resource_id, n.bootstrap_token_id AS token_id,
         n.public_key, host(n.mesh_ip) AS mesh_ip, p.peer_id, k.wrapped_nsk,
         k.wrap_key_id AS nsk_wrap_key, k.wrap_key_version AS nsk_wrap_version,
         s.wrapped AS wrapped_psk, s.wrap_key_id AS psk_wrap_key,
         s.wrap_key_version AS psk_wrap_version, o.payload::text AS node_payload,
         e.payload::text AS peer_payload, o.correlation_id,
         convert_from(c.canonical_bytes, 'UTF8') AS consumed,
         convert_from(r.canonical_bytes, 'UTF8') AS registered,
         encode(r.subject_pseudonym, 'hex') AS pseudonym, x.source_ip, x.user_agent
  FROM site JOIN identity.node n USING (project_id)
  JOIN identity.node_secret_key k ON k.node_id = n.id
  JOIN mesh.peer p ON p.node_id = n.id
  JOIN mesh.node_secret s ON s.node_id = n.id
  JOIN platform.outbox o ON o.aggregate_id = n.id AND o.event_type = 'tenancy.NodeRegistered'
  JOIN platform.outbox e ON e.aggregate_id = n.id AND e.event_type = 'peer_registered'
  JOIN audit.audit_log_entry c ON c.domain_id = n.domain_id
   AND c.object_id = n.bootstrap_token_id::text AND c.relation = 'bootstrap_token.consume'
  JOIN audit.audit_log_entry r ON r.domain_id = n.domain_id AND r.object_id = n.id::text
   AND r.relation = 'node.register'
  JOIN audit.audit_request_context x ON x.domain_id = r.domain_id AND x.seq = r.seq),
token AS (
  SELECT t.project_id, t.id, t.selector,
         row_number() OVER (PARTITION BY t.project_id ORDER BY t.id) - 1 AS k
  FROM identity.bootstrap_token t JOIN site USING (project_id) WHERE t.consumed_at IS NULL),
resource AS (
  SELECT r.project_id, r.id, r.external_ref,
         row_number() OVER (PARTITION BY r.project_id ORDER BY r.id) - 1 AS k
  FROM tenancy.resources r JOIN site USING (project_id)
  WHERE NOT EXISTS (SELECT FROM tenancy.live_node l WHERE l.resource_id = r.id)),
made AS MATERIALIZED (
  SELECT example.*, token.id AS new_token, token.selector, resource.id AS new_resource,
         resource.external_ref AS handle, token.k * sites + at AS n, authz.new_id() AS new_node,
         authz.new_id() AS new_peer, authz.new_id() AS key_id, authz.new_id() AS kid,
         authz.new_id() AS node_event, authz.new_id() AS peer_event,
         sha256(token.selector || '1') AS new_key, sha256(token.selector || '2') AS digest,
         sha256(token.selector || '3') AS nonce_sha256,
         substr(sha256(token.selector || '4'), 1, 16) AS salt,
         encode(sha256(token.selector || '5'), 'hex') AS new_pseudonym
  FROM example JOIN token USING (project_id) JOIN resource USING (project_id, k)),
-- Only the address is not known before the pool has given it: %s.
renamed AS (
  SELECT made.*, replacements
  FROM made, LATERAL (SELECT ARRAY[
    ARRAY[node_id::text, new_node::text], ARRAY[peer_id::text, new_peer::text],
    ARRAY[resource_id::text, new_resource::text], ARRAY[token_id::text, new_token::text],
    ARRAY[encode(public_key, 'base64'), encode(new_key, 'base64')],
    ARRAY['"' || mesh_ip || '"', '"%s"'], ARRAY[pseudonym, new_pseudonym]] AS replacements) _)
SELECT n::int, selector, handle, new_node AS node_id, new_peer AS peer_id, key_id, kid, node_event,
       peer_event, new_key AS public_key, digest, nonce_sha256, salt, wrapped_nsk, nsk_wrap_key,
       nsk_wrap_version, wrapped_psk, psk_wrap_key, psk_wrap_version, correlation_id, source_ip,
       user_agent, now() AS occurred_at,
       bench.rename(node_payload, replacements) AS node_payload,
       bench.rename(peer_payload, replacements) AS peer_payload,
       convert_to('{"v":1,"chain":"' || domain_id || '","seq":', 'UTF8') AS audit_head,
       convert_to(bench.rename(bench.tail(consumed), replacements), 'UTF8') AS consume_tail,
       convert_to(bench.rename(bench.tail(registered), replacements), 'UTF8') AS register_tail
FROM renamed;
ALTER TABLE bench.work ADD PRIMARY KEY (n);
ANALYZE bench.work;
