-- Keys that encrypt contexts' secrets at rest, themselves encrypted under the deployment's root key,
-- which is never here. Rows are added and never changed by the core.
CREATE TABLE platform.wrap_key (
  id          uuid        PRIMARY KEY,
  context     text        NOT NULL CHECK (context <> ''),
  scope       text        NOT NULL CHECK (octet_length(scope) BETWEEN 1 AND 128),
  version     int         NOT NULL CHECK (version >= 1),
  root_key_id text        NOT NULL,
  wrapped     bytea       NOT NULL CHECK (octet_length(wrapped) = 60),  -- nonce 12, key 32, tag 16
  created_at  timestamptz NOT NULL DEFAULT transaction_timestamp(),
  retired_at  timestamptz,
  UNIQUE (context, scope, version)
);
CREATE UNIQUE INDEX wrap_key_active ON platform.wrap_key (context, scope) WHERE retired_at IS NULL;
GRANT SELECT, INSERT ON platform.wrap_key TO plexsphere_platform;
