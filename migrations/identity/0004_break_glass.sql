-- Operators that plexsphere-bootstrap made, for the audit log to tell of: the function notes each in
-- the transaction that makes it, and the service writes the row of the platform's chain. Until it has,
-- the token opens nothing.
CREATE TABLE identity.break_glass (
  token_id   uuid        PRIMARY KEY,
  user_id    uuid        NOT NULL,
  made_at    timestamptz NOT NULL DEFAULT transaction_timestamp(),
  audited_at timestamptz          -- null: not in the audit log yet
);
CREATE INDEX break_glass_unaudited ON identity.break_glass (token_id) WHERE audited_at IS NULL;
GRANT SELECT ON identity.break_glass TO plexsphere_identity;
GRANT UPDATE (audited_at) ON identity.break_glass TO plexsphere_identity;

-- Those that were made before this.
INSERT INTO identity.break_glass (token_id, user_id, made_at)
  SELECT id, user_id, created_at FROM identity.api_token
  WHERE user_id IS NOT NULL AND issued_with IS NULL AND revoked_at IS NULL AND expires_at > now();

CREATE OR REPLACE FUNCTION identity.port_bootstrap_operator(
  p_user_id uuid, p_display_name text, p_token_id uuid, p_secret_sha256 bytea, p_env text,
  p_expires_at timestamptz)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = identity, pg_temp AS $$
BEGIN
  INSERT INTO identity.user_account (id, subject, display_name)
    VALUES (p_user_id, p_user_id::text, p_display_name)
    ON CONFLICT (id) DO NOTHING;
  INSERT INTO identity.api_token (id, user_id, secret_sha256, env_prefix, expires_at)
    VALUES (p_token_id, p_user_id, p_secret_sha256, p_env, p_expires_at);
  INSERT INTO identity.break_glass (token_id, user_id) VALUES (p_token_id, p_user_id);
END $$;
