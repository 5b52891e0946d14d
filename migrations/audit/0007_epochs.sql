-- A database that was restored to an earlier point: the operator declares it, the signer signs the
-- statement, and the chain goes on in a new epoch.

-- Each statement as it was signed, inserted with the entry that tells of it. The key stands beside
-- it, as beside a checkpoint. Whether it is the signer's is asked of the signer.
CREATE TABLE audit.audit_epoch (
  domain_id   uuid        NOT NULL,
  epoch       bigint      NOT NULL CHECK (epoch >= 2),
  before_size bigint      NOT NULL CHECK (before_size >= 1),  -- last checkpoint of the epoch before
  after_size  bigint      NOT NULL CHECK (after_size BETWEEN 0 AND before_size),  -- it goes on from here
  note        text        NOT NULL,
  key_id      text        NOT NULL,
  public_key  bytea       NOT NULL CHECK (octet_length(public_key) = 32),
  declared_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT audit_epoch_pkey PRIMARY KEY (domain_id, epoch)
);

-- Epochs only grow, and go on from what is there.
CREATE FUNCTION audit.refuse_older_epoch() RETURNS trigger
LANGUAGE plpgsql SET search_path = audit, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('plexsphere.audit.' || NEW.domain_id::text, 0));
  IF EXISTS (SELECT FROM audit.audit_epoch e
              WHERE e.domain_id = NEW.domain_id AND e.epoch >= NEW.epoch)
     OR NOT EXISTS (SELECT FROM audit.audit_log_chain_head h
                     WHERE h.domain_id = NEW.domain_id AND h.seq >= NEW.after_size) THEN
    RAISE EXCEPTION 'audit_epoch_not_newer' USING ERRCODE = 'PX001',
      DETAIL = 'the chain has this epoch or a later one, or fewer entries than it goes on from';
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER audit_epoch_insert BEFORE INSERT ON audit.audit_epoch
  FOR EACH ROW EXECUTE FUNCTION audit.refuse_older_epoch();
CREATE TRIGGER audit_epoch_change BEFORE UPDATE OR DELETE ON audit.audit_epoch
  FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER audit_epoch_truncate BEFORE TRUNCATE ON audit.audit_epoch
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
GRANT SELECT, INSERT ON audit.audit_epoch TO plexsphere_audit;

-- What an operator wants declared. Whoever can write here gets nothing but a draft: the signer signs
-- what its own operator has permitted.
CREATE TABLE audit.audit_epoch_request (
  id           uuid        NOT NULL,
  domain_id    uuid        NOT NULL,
  reason       text        NOT NULL CHECK (reason ~ '^[!-~]([ -~]{0,198}[!-~])?$'),
  requested_by text        NOT NULL DEFAULT session_user,
  requested_at timestamptz NOT NULL DEFAULT now(),
  statement    text,
  ended_at     timestamptz,
  outcome      text CHECK (outcome IN ('declared', 'refused')),
  detail       text,
  CONSTRAINT audit_epoch_request_pkey PRIMARY KEY (id),
  CONSTRAINT audit_epoch_request_end CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
-- One at a time of a chain.
CREATE UNIQUE INDEX audit_epoch_request_open
  ON audit.audit_epoch_request (domain_id) WHERE ended_at IS NULL;
GRANT SELECT, UPDATE (statement, ended_at, outcome, detail)
  ON audit.audit_epoch_request TO plexsphere_audit;
