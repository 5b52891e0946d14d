-- Signed checkpoints of the chains, and what is kept of their Merkle trees (RFC 6962).
--
-- The leaves of a chain's tree are its entry hashes, leaf i being entry i + 1. Kept are the roots of
-- whole subtrees of 256, 65,536, … leaves: one row for 256 entries. Everything else follows from the
-- entries and at most 255 of these rows a level. All of it is added by a job behind the appends,
-- which hold no lock for it.

CREATE TABLE audit.audit_tree_node (
  domain_id uuid     NOT NULL,
  level     smallint NOT NULL CHECK (level IN (8, 16, 24, 32, 40, 48, 56)),
  idx       bigint   NOT NULL CHECK (idx >= 0),  -- covers leaves [idx << level, (idx + 1) << level)
  hash      bytea    NOT NULL CHECK (octet_length(hash) = 32),
  CONSTRAINT audit_tree_node_pkey PRIMARY KEY (domain_id, level, idx)
);

-- Each as the signer signed it. The key stands beside it, so that notes of keys long retired can
-- still be told apart.
CREATE TABLE audit.audit_checkpoint (
  domain_id  uuid        NOT NULL,
  size       bigint      NOT NULL CHECK (size >= 1),
  root_hash  bytea       NOT NULL CHECK (octet_length(root_hash) = 32),
  note       text        NOT NULL,
  key_id     text        NOT NULL,
  public_key bytea       NOT NULL CHECK (octet_length(public_key) = 32),
  signed_at  timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT audit_checkpoint_pkey PRIMARY KEY (domain_id, size)
);

-- Checkpoints of a chain only grow, and never beyond it. Under the chain's lock and in statements
-- after it, so that of two who add at the same time the second sees the first.
CREATE FUNCTION audit.refuse_older_checkpoint() RETURNS trigger
LANGUAGE plpgsql SET search_path = audit, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('plexsphere.audit.' || NEW.domain_id::text, 0));
  IF EXISTS (SELECT FROM audit.audit_checkpoint c
              WHERE c.domain_id = NEW.domain_id AND c.size >= NEW.size) THEN
    RAISE EXCEPTION 'audit_checkpoint_not_newer' USING ERRCODE = 'PX001',
      DETAIL = 'the chain has a checkpoint of this size or a larger one';
  END IF;
  IF NOT EXISTS (SELECT FROM audit.audit_log_chain_head h
                  WHERE h.domain_id = NEW.domain_id AND h.seq >= NEW.size) THEN
    RAISE EXCEPTION 'audit_checkpoint_beyond_head' USING ERRCODE = 'PX001',
      DETAIL = 'the chain has fewer entries than the checkpoint';
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER audit_checkpoint_insert BEFORE INSERT ON audit.audit_checkpoint
  FOR EACH ROW EXECUTE FUNCTION audit.refuse_older_checkpoint();
CREATE TRIGGER audit_checkpoint_change BEFORE UPDATE OR DELETE ON audit.audit_checkpoint
  FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER audit_checkpoint_truncate BEFORE TRUNCATE ON audit.audit_checkpoint
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER audit_tree_node_change BEFORE UPDATE OR DELETE ON audit.audit_tree_node
  FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER audit_tree_node_truncate BEFORE TRUNCATE ON audit.audit_tree_node
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();

GRANT SELECT, INSERT ON audit.audit_tree_node, audit.audit_checkpoint TO plexsphere_audit;
