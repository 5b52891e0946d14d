-- What operators and machines sign in with: service identities, API tokens of both, and the short-lived
-- access tokens of service identities. Everything is stored as a digest.

CREATE TABLE identity.service_identity (
  id                uuid PRIMARY KEY,
  domain_id         uuid NOT NULL,
  display_name      text NOT NULL CHECK (char_length(display_name) BETWEEN 1 AND 256),
  subject           text NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 2048),
  -- Unique by digest, because the subject may be longer than an index entry.
  subject_sha256    bytea NOT NULL CHECK (octet_length(subject_sha256) = 32),
  subject_pseudonym bytea NOT NULL CHECK (octet_length(subject_pseudonym) = 32),
  audience          text NOT NULL CHECK (char_length(audience) BETWEEN 1 AND 256),
  federation_kind   text NOT NULL CHECK (federation_kind IN ('oidc_cc', 'spiffe_svid', 'api_token')),
  created_at        timestamptz NOT NULL,
  last_sign_in_at   timestamptz,
  disabled_at       timestamptz,
  CONSTRAINT service_identity_subject UNIQUE (domain_id, subject_sha256)
);

-- A token belongs to a user or to a service identity.
ALTER TABLE identity.api_token
  ALTER COLUMN user_id DROP NOT NULL,
  ADD COLUMN service_identity_id uuid REFERENCES identity.service_identity (id),
  ADD COLUMN issued_with uuid,          -- the credential that asked for it; null: the bootstrap
  ADD COLUMN rotated_at timestamptz,
  ADD COLUMN last_used_at timestamptz,  -- to the minute or so
  ADD CONSTRAINT api_token_one_owner CHECK (num_nonnulls(user_id, service_identity_id) = 1);
CREATE INDEX api_token_service_identity ON identity.api_token (service_identity_id)
  WHERE service_identity_id IS NOT NULL;
-- When a token ended, for the sweep: the earlier of the two.
CREATE INDEX api_token_end ON identity.api_token (LEAST(expires_at, revoked_at));

-- Secrets that a rotation has replaced and that are still taken for a while.
CREATE TABLE identity.api_token_retired_secret (
  token_id      uuid NOT NULL REFERENCES identity.api_token (id) ON DELETE CASCADE,
  secret_sha256 bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
  retires_at    timestamptz NOT NULL,
  PRIMARY KEY (token_id, secret_sha256)
);
CREATE INDEX api_token_retired_secret_end ON identity.api_token_retired_secret (retires_at);

CREATE TABLE identity.service_access_token (
  id                  uuid PRIMARY KEY,
  service_identity_id uuid NOT NULL REFERENCES identity.service_identity (id),
  -- The API token that was traded for it, whose revocation ends it too; null: an assertion was.
  api_token_id        uuid REFERENCES identity.api_token (id) ON DELETE CASCADE,
  secret_sha256       bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
  created_at          timestamptz NOT NULL,
  expires_at          timestamptz NOT NULL,
  CONSTRAINT service_access_token_life CHECK (expires_at > created_at)
);
CREATE INDEX service_access_token_api_token ON identity.service_access_token (api_token_id)
  WHERE api_token_id IS NOT NULL;
CREATE INDEX service_access_token_owner
  ON identity.service_access_token (service_identity_id, expires_at);
CREATE INDEX service_access_token_end ON identity.service_access_token (expires_at);

GRANT SELECT, INSERT ON identity.service_identity TO plexsphere_identity;
GRANT UPDATE (last_sign_in_at) ON identity.service_identity TO plexsphere_identity;
GRANT INSERT ON identity.api_token TO plexsphere_identity;
GRANT UPDATE (secret_sha256, rotated_at, revoked_at, last_used_at)
  ON identity.api_token TO plexsphere_identity;
GRANT SELECT, INSERT, DELETE ON identity.api_token_retired_secret, identity.service_access_token
  TO plexsphere_identity;

-- The service may not delete an API token, except by this: one that ended before `p_before`. Returns
-- how many went.
CREATE FUNCTION identity.forget_ended_api_tokens(p_before timestamptz, p_limit bigint)
RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = identity, pg_temp AS $$
  WITH gone AS (
    DELETE FROM identity.api_token WHERE id IN (
      SELECT id FROM identity.api_token
      WHERE LEAST(expires_at, revoked_at) < LEAST(p_before, now() - interval '1 day')
      ORDER BY LEAST(expires_at, revoked_at) LIMIT p_limit FOR UPDATE SKIP LOCKED)
    RETURNING 1)
  SELECT count(*) FROM gone
$$;
REVOKE ALL ON FUNCTION identity.forget_ended_api_tokens(timestamptz, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identity.forget_ended_api_tokens(timestamptz, bigint)
  TO plexsphere_identity;
