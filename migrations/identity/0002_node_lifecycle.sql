-- The end of a Node, new wrap keys for Nodes' secret keys, and since when a tag key is in use.

-- Deregistration: the row stays, for whoever asks later who held an address or a key.
ALTER TABLE identity.node ADD CONSTRAINT node_deregistration
  CHECK ((state = 'deregistered') = (deregistered_at IS NOT NULL));
GRANT UPDATE (deregistered_at) ON identity.node TO plexsphere_identity;

-- A run that wraps a Domain's Node secret keys under a newer wrap key. The rows that still name an
-- older version are what is left to do: a run that dies goes on where it was.
CREATE TABLE identity.nsk_rewrap (
  id               uuid PRIMARY KEY,
  domain_id        uuid        NOT NULL,
  request_id       uuid        NOT NULL,  -- shared by the runs that one call asked for
  whole_deployment boolean     NOT NULL,  -- asked for all Domains at once
  state            text        NOT NULL CHECK (state IN ('requested', 'running', 'resting', 'done')),
  from_version     integer     NOT NULL CHECK (from_version >= 1),  -- active when it was asked for
  to_version       integer     CHECK (to_version > from_version),   -- null: not rotated yet
  total            bigint      NOT NULL DEFAULT 0,  -- keys that named an older version at the start
  rewrapped        bigint      NOT NULL DEFAULT 0,
  after_node_id    uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  requested_at     timestamptz NOT NULL,
  started_at       timestamptz,           -- the new version became active
  finished_at      timestamptz,           -- no row named an older version
  retired_at       timestamptz,           -- and none came after: the older versions are retired
  CONSTRAINT nsk_rewrap_states CHECK (
    (state = 'requested') = (to_version IS NULL)
    AND (to_version IS NULL) = (started_at IS NULL)
    AND (state IN ('requested', 'running') OR finished_at IS NOT NULL)
    AND (state = 'done') = (retired_at IS NOT NULL))
);
-- One open run a Domain.
CREATE UNIQUE INDEX nsk_rewrap_open ON identity.nsk_rewrap (domain_id) WHERE state <> 'done';
CREATE INDEX nsk_rewrap_domain ON identity.nsk_rewrap (domain_id, id);

GRANT SELECT, INSERT ON identity.nsk_rewrap TO plexsphere_identity;
GRANT UPDATE (state, to_version, total, rewrapped, after_node_id, started_at, finished_at,
              retired_at)
  ON identity.nsk_rewrap TO plexsphere_identity;
GRANT UPDATE (wrapped_nsk, wrap_key_id, wrap_key_version) ON identity.node_secret_key
  TO plexsphere_identity;

-- When each version of the key that tags bootstrap tokens was first used anywhere: the version
-- before is taken for a day from then, as long as a token may live.
CREATE TABLE identity.token_tag_key (
  version       bigint      PRIMARY KEY CHECK (version >= 1),
  first_used_at timestamptz NOT NULL DEFAULT transaction_timestamp()
);
GRANT SELECT, INSERT ON identity.token_tag_key TO plexsphere_identity;
