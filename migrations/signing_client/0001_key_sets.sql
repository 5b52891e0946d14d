-- What the core knows of signing keys: public halves only.

-- The key that verifies key-set documents, pinned when the first document was seen. One row.
CREATE TABLE signing_client.document_key (
  only_one   boolean     PRIMARY KEY DEFAULT true CHECK (only_one),
  public_key bytea       NOT NULL CHECK (octet_length(public_key) = 32),
  pinned_at  timestamptz NOT NULL DEFAULT now()
);

-- Every numbered key-set document, as the signer signed it. Rows are only added.
CREATE TABLE signing_client.key_set (
  scope        text        NOT NULL,
  number       bigint      NOT NULL CHECK (number > 0),
  document     bytea       NOT NULL CHECK (octet_length(document) <= 65536),
  signature    bytea       NOT NULL CHECK (octet_length(signature) = 64),
  document_key bytea       NOT NULL CHECK (octet_length(document_key) = 32),
  stored_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (scope, number)
);

-- The newest key set of each scope, told in columns. Derived from key_set, never the other way.
CREATE TABLE signing_client.active_key (
  scope           text   PRIMARY KEY,
  number          bigint NOT NULL,
  key_id          text   NOT NULL,
  events_key      bytea  NOT NULL CHECK (octet_length(events_key) = 32),
  checkpoints_key bytea  NOT NULL CHECK (octet_length(checkpoints_key) = 32),
  closes_at       timestamptz  -- of the open rotation; null when none is open
);
CREATE INDEX active_key_due ON signing_client.active_key (closes_at) WHERE closes_at IS NOT NULL;

GRANT SELECT, INSERT ON signing_client.document_key TO plexsphere_signing_client;
GRANT SELECT, INSERT ON signing_client.key_set TO plexsphere_signing_client;
GRANT SELECT, INSERT, UPDATE ON signing_client.active_key TO plexsphere_signing_client;
