-- identity: users and their API tokens, bootstrap tokens, Nodes and their secret keys.
-- Nothing here is ever deleted by the service: it holds no DELETE.

GRANT USAGE ON SCHEMA identity TO plexsphere_identity;

CREATE TABLE identity.user_account (
  id           uuid PRIMARY KEY,
  domain_id    uuid,                       -- null: platform scope
  subject      text NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 2048),
  display_name text NOT NULL CHECK (char_length(display_name) BETWEEN 1 AND 255),
  email        text CHECK (char_length(email) BETWEEN 1 AND 320),
  created_at   timestamptz NOT NULL DEFAULT now(),
  disabled_at  timestamptz
);

CREATE TABLE identity.api_token (
  id            uuid PRIMARY KEY,
  user_id       uuid NOT NULL REFERENCES identity.user_account (id),
  secret_sha256 bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
  env_prefix    text NOT NULL CHECK (env_prefix ~ '^[a-z]{1,32}$'),
  created_at    timestamptz NOT NULL DEFAULT now(),
  expires_at    timestamptz NOT NULL,
  revoked_at    timestamptz
);
CREATE INDEX api_token_user ON identity.api_token (user_id);

CREATE TABLE identity.bootstrap_token (
  id                    uuid PRIMARY KEY,
  domain_id             uuid NOT NULL,
  project_id            uuid NOT NULL,
  kind                  text NOT NULL CHECK (kind IN ('node', 'bridge')),
  env_prefix            text NOT NULL CHECK (env_prefix ~ '^[a-z]{1,32}$'),
  selector              bytea NOT NULL CHECK (octet_length(selector) = 10),
  token_hash            text NOT NULL,    -- Argon2id, PHC string
  issued_by_user_id     uuid NOT NULL,
  issued_at             timestamptz NOT NULL,
  expires_at            timestamptz NOT NULL,
  consumed_at           timestamptz,
  consumed_nonce_sha256 bytea CHECK (octet_length(consumed_nonce_sha256) = 32),
  consumed_by_node_id   uuid,
  revoked_at            timestamptz,
  expiry_noted_at       timestamptz,      -- set by the sweep when it audits; decides nothing
  CONSTRAINT bootstrap_token_life CHECK (expires_at > issued_at),
  CONSTRAINT bootstrap_token_one_end CHECK (consumed_at IS NULL OR revoked_at IS NULL),
  CONSTRAINT bootstrap_token_consumption CHECK
    ((consumed_at IS NULL) = (consumed_nonce_sha256 IS NULL)
     AND (consumed_at IS NULL) = (consumed_by_node_id IS NULL))
);
CREATE UNIQUE INDEX bootstrap_token_selector ON identity.bootstrap_token (selector);
CREATE INDEX bootstrap_token_project ON identity.bootstrap_token (project_id, id);
-- A nonce buys one Node in a Project. Digests, because a nonce may be longer than an index entry.
CREATE UNIQUE INDEX bootstrap_token_nonce
  ON identity.bootstrap_token (project_id, consumed_nonce_sha256)
  WHERE consumed_nonce_sha256 IS NOT NULL;
CREATE INDEX bootstrap_token_sweep ON identity.bootstrap_token (expires_at)
  WHERE consumed_at IS NULL AND revoked_at IS NULL AND expiry_noted_at IS NULL;

CREATE TABLE identity.node (
  id                 uuid PRIMARY KEY,
  domain_id          uuid NOT NULL,
  project_id         uuid NOT NULL,
  resource_id        uuid NOT NULL,
  resource_handle    text NOT NULL,
  kind               text NOT NULL,       -- the Resource's: vm, bridge, worker, …
  mesh_ip            inet NOT NULL,
  public_key         bytea NOT NULL CHECK (octet_length(public_key) = 32),
  state              text NOT NULL CHECK (state IN ('enrolling', 'ready', 'deregistered')),
  bootstrap_token_id uuid NOT NULL UNIQUE REFERENCES identity.bootstrap_token (id),
  registered_at      timestamptz NOT NULL,
  deregistered_at    timestamptz
);
CREATE INDEX node_domain ON identity.node (domain_id, id);
CREATE INDEX node_resource ON identity.node (resource_id);
-- The address pool is mesh's; this is the second lock on the same door.
CREATE UNIQUE INDEX node_mesh_ip ON identity.node (domain_id, mesh_ip)
  WHERE state <> 'deregistered';

-- The ledger of Node secret keys: the wrapped key, and beside it the id of the key that wrapped it.
-- Authentication compares the digest and never unwraps.
CREATE TABLE identity.node_secret_key (
  id               uuid PRIMARY KEY,
  node_id          uuid NOT NULL REFERENCES identity.node (id),
  generation       bigint NOT NULL CHECK (generation >= 1),
  digest           bytea NOT NULL CHECK (octet_length(digest) = 32),    -- sha256 of the key
  wrapped_nsk      bytea NOT NULL,
  wrap_key_id      uuid NOT NULL,
  wrap_key_version integer NOT NULL,
  replay_count     integer NOT NULL DEFAULT 0 CHECK (replay_count BETWEEN 0 AND 5),
  created_at       timestamptz NOT NULL,
  first_used_at    timestamptz,
  revoked_at       timestamptz,
  UNIQUE (node_id, generation)
);
CREATE UNIQUE INDEX node_secret_key_live ON identity.node_secret_key (node_id)
  WHERE revoked_at IS NULL;

GRANT SELECT ON identity.user_account, identity.api_token TO plexsphere_identity;
GRANT SELECT, INSERT ON identity.bootstrap_token, identity.node, identity.node_secret_key
  TO plexsphere_identity;
GRANT UPDATE (consumed_at, consumed_nonce_sha256, consumed_by_node_id, revoked_at, expiry_noted_at)
  ON identity.bootstrap_token TO plexsphere_identity;
GRANT UPDATE (state) ON identity.node TO plexsphere_identity;
GRANT UPDATE (first_used_at, revoked_at) ON identity.node_secret_key TO plexsphere_identity;

-- The first operator, made by plexsphere-bootstrap, never by the service: nobody but the schema's
-- owner (and a superuser) may call it. Calling it again for the same user adds a token.
CREATE FUNCTION identity.port_bootstrap_operator(p_user_id uuid, p_display_name text,
                                                 p_token_id uuid, p_secret_sha256 bytea,
                                                 p_env text, p_expires_at timestamptz)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = identity, pg_temp AS $$
BEGIN
  INSERT INTO identity.user_account (id, subject, display_name)
    VALUES (p_user_id, p_user_id::text, p_display_name)
    ON CONFLICT (id) DO NOTHING;
  INSERT INTO identity.api_token (id, user_id, secret_sha256, env_prefix, expires_at)
    VALUES (p_token_id, p_user_id, p_secret_sha256, p_env, p_expires_at);
END $$;
REVOKE ALL ON FUNCTION identity.port_bootstrap_operator(uuid, text, uuid, bytea, text, timestamptz)
  FROM PUBLIC;
