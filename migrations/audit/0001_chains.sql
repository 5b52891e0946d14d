-- The platform audit log: one hash chain per Domain and one of the platform.
--
-- canonical_bytes is the record. Every other column of a row is derived from it by the append
-- function, for filtering, and is checked against it by whoever verifies. There is no way back
-- from here: a chain that could be migrated away would be no evidence.

CREATE TABLE audit.audit_log_entry (
  domain_id         uuid        NOT NULL,
  seq               bigint      NOT NULL CHECK (seq >= 1),
  prev_hash         bytea       NOT NULL CHECK (octet_length(prev_hash) = 32),
  entry_hash        bytea       NOT NULL CHECK (octet_length(entry_hash) = 32),
  canonical_bytes   bytea       NOT NULL,
  occurred_at       timestamptz NOT NULL,
  reason            text        NOT NULL,
  relation          text        NOT NULL,
  object_type       text        NOT NULL,
  object_id         text        NOT NULL,
  subject_pseudonym bytea       NOT NULL CHECK (octet_length(subject_pseudonym) = 32),
  correlation_id    text        NOT NULL,
  archive_etag      text,
  archived_at       timestamptz,
  CONSTRAINT audit_log_entry_pkey PRIMARY KEY (domain_id, seq),
  CONSTRAINT audit_log_entry_hash UNIQUE (domain_id, entry_hash)
);
CREATE INDEX audit_log_entry_subject
  ON audit.audit_log_entry (domain_id, subject_pseudonym, seq);
CREATE INDEX audit_log_entry_correlation
  ON audit.audit_log_entry (domain_id, correlation_id, seq);

-- Where each chain ends. Written only by the append function, under the chain's advisory lock.
CREATE TABLE audit.audit_log_chain_head (
  domain_id  uuid   NOT NULL,
  seq        bigint NOT NULL CHECK (seq >= 1),
  entry_hash bytea  NOT NULL CHECK (octet_length(entry_hash) = 32),
  CONSTRAINT audit_log_chain_head_pkey PRIMARY KEY (domain_id)
);

-- Who a pseudonym is: the only place that knows. Erasure deletes the row.
CREATE TABLE audit.audit_subject_pii (
  domain_id         uuid        NOT NULL,
  subject_pseudonym bytea       NOT NULL CHECK (octet_length(subject_pseudonym) = 32),
  subject_type      text        NOT NULL,
  subject_plaintext text        NOT NULL,
  first_seen_at     timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT audit_subject_pii_pkey PRIMARY KEY (domain_id, subject_pseudonym)
);

-- From where one entry came: address, user agent and the salt of the digest that the canonical
-- bytes hold of them. Erasure deletes the rows of a pseudonym; what is left in the chain is a
-- digest without its salt.
CREATE TABLE audit.audit_request_context (
  domain_id  uuid   NOT NULL,
  seq        bigint NOT NULL,
  salt       bytea  NOT NULL CHECK (octet_length(salt) = 16),
  source_ip  text,
  user_agent text,
  CONSTRAINT audit_request_context_pkey PRIMARY KEY (domain_id, seq)
);

-- The pepper of each chain's pseudonyms, sealed under a wrap key that the database does not hold.
CREATE TABLE audit.audit_pepper (
  domain_id   uuid        NOT NULL,
  wrap_key_id uuid        NOT NULL,
  sealed      bytea       NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT audit_pepper_pkey PRIMARY KEY (domain_id)
);

-- What verification found. The row of the chain is never touched.
CREATE TABLE audit.audit_tamper_quarantine (
  domain_id     uuid        NOT NULL,
  seq           bigint      NOT NULL,
  finding       text        NOT NULL,
  expected_hash bytea,
  observed_hash bytea,
  found_at      timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT audit_tamper_quarantine_pkey PRIMARY KEY (domain_id, seq, finding)
);

-- Append-only, also for those whom privileges would let through.
CREATE FUNCTION audit.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = audit, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'audit_append_only' USING ERRCODE = 'PX001',
    DETAIL = TG_OP || ' on ' || TG_TABLE_NAME || ' is never allowed';
END
$$;

-- The archiver stamps a row once; nothing else of it ever changes.
CREATE FUNCTION audit.refuse_entry_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = audit, pg_temp AS $$
DECLARE
  expected audit.audit_log_entry := OLD;
BEGIN
  expected.archive_etag := NEW.archive_etag;
  expected.archived_at := NEW.archived_at;
  IF OLD.archived_at IS NULL AND NEW.archived_at IS NOT NULL AND NEW.archive_etag IS NOT NULL
     AND NEW IS NOT DISTINCT FROM expected THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'audit_append_only' USING ERRCODE = 'PX001',
    DETAIL = 'only the archive columns of an entry may be set, and only once';
END
$$;

-- A head moves forward or stays away.
CREATE FUNCTION audit.refuse_head_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = audit, pg_temp AS $$
BEGIN
  IF NEW.domain_id = OLD.domain_id AND NEW.seq > OLD.seq THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'audit_append_only' USING ERRCODE = 'PX001',
    DETAIL = 'a chain head only moves forward';
END
$$;

CREATE TRIGGER audit_log_entry_update BEFORE UPDATE ON audit.audit_log_entry
  FOR EACH ROW EXECUTE FUNCTION audit.refuse_entry_change();
CREATE TRIGGER audit_log_entry_delete BEFORE DELETE ON audit.audit_log_entry
  FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER audit_log_entry_truncate BEFORE TRUNCATE ON audit.audit_log_entry
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER audit_log_chain_head_update BEFORE UPDATE ON audit.audit_log_chain_head
  FOR EACH ROW EXECUTE FUNCTION audit.refuse_head_change();
CREATE TRIGGER audit_log_chain_head_delete BEFORE DELETE ON audit.audit_log_chain_head
  FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER audit_log_chain_head_truncate BEFORE TRUNCATE ON audit.audit_log_chain_head
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER audit_pepper_change BEFORE UPDATE OR DELETE ON audit.audit_pepper
  FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER audit_tamper_quarantine_change
  BEFORE UPDATE OR DELETE ON audit.audit_tamper_quarantine
  FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();

-- The runtime role reads, keeps peppers and findings, and appends through the function below.
GRANT USAGE ON SCHEMA audit TO plexsphere_audit, port_audit;
GRANT SELECT ON audit.audit_log_entry, audit.audit_log_chain_head, audit.audit_subject_pii,
  audit.audit_request_context TO plexsphere_audit;
GRANT SELECT, INSERT ON audit.audit_pepper, audit.audit_tamper_quarantine TO plexsphere_audit;
