-- The mirror: entries are copied to an object store and stamped with what it calls the copy.

-- Up to where a chain is archived without a gap, so that what is left is found without an index on
-- the entries. It only makes the search short: what is archived is what the entries say.
CREATE TABLE audit.audit_archive_position (
  domain_id uuid   NOT NULL,
  seq       bigint NOT NULL CHECK (seq >= 1),
  CONSTRAINT audit_archive_position_pkey PRIMARY KEY (domain_id)
);
GRANT SELECT, INSERT, UPDATE ON audit.audit_archive_position TO plexsphere_audit;

-- The trigger of 0001 lets them be set once, and nothing else.
GRANT UPDATE (archive_etag, archived_at) ON audit.audit_log_entry TO plexsphere_audit;
