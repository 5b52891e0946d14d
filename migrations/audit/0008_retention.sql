-- The retention boundary: entries up to it may leave, and nothing else ever does. It is declared in
-- a signed checkpoint, which says what the chain begins after, and in an entry.

CREATE TABLE audit.audit_boundary (
  domain_id   uuid        NOT NULL,
  seq         bigint      NOT NULL CHECK (seq >= 256 AND seq % 256 = 0),  -- the last that may leave
  entry_hash  bytea       NOT NULL CHECK (octet_length(entry_hash) = 32),  -- of that one
  declared_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT audit_boundary_pkey PRIMARY KEY (domain_id)
);

-- Forward only, over archived entries whose tree is kept and signed.
CREATE FUNCTION audit.refuse_boundary() RETURNS trigger
LANGUAGE plpgsql SET search_path = audit, pg_temp AS $$
DECLARE
  before bigint := 0;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    before := OLD.seq;
    IF NEW.domain_id <> OLD.domain_id OR NEW.seq <= OLD.seq THEN
      RAISE EXCEPTION 'audit_append_only' USING ERRCODE = 'PX001',
        DETAIL = 'a boundary only moves forward';
    END IF;
  END IF;
  IF NOT EXISTS (SELECT FROM audit.audit_log_entry e WHERE e.domain_id = NEW.domain_id
                    AND e.seq = NEW.seq AND e.entry_hash = NEW.entry_hash)
     OR EXISTS (SELECT FROM audit.audit_log_entry e WHERE e.domain_id = NEW.domain_id
                   AND e.seq > before AND e.seq <= NEW.seq AND e.archived_at IS NULL)
     OR NOT EXISTS (SELECT FROM audit.audit_checkpoint c
                     WHERE c.domain_id = NEW.domain_id AND c.size > NEW.seq)
     OR (SELECT count(*) FROM audit.audit_tree_node n WHERE n.domain_id = NEW.domain_id
            AND n.level = 8 AND n.idx < NEW.seq / 256 + 1) < NEW.seq / 256 + 1 THEN
    RAISE EXCEPTION 'audit_boundary_not_covered' USING ERRCODE = 'PX001',
      DETAIL = 'entries up to a boundary are archived, signed, and in the kept tree';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER audit_boundary_move BEFORE INSERT OR UPDATE ON audit.audit_boundary
  FOR EACH ROW EXECUTE FUNCTION audit.refuse_boundary();
CREATE TRIGGER audit_boundary_delete BEFORE DELETE ON audit.audit_boundary
  FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER audit_boundary_truncate BEFORE TRUNCATE ON audit.audit_boundary
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
GRANT SELECT, INSERT, UPDATE (seq, entry_hash, declared_at) ON audit.audit_boundary
  TO plexsphere_audit;

-- An entry leaves behind the boundary, and no other.
CREATE FUNCTION audit.refuse_entry_delete() RETURNS trigger
LANGUAGE plpgsql SET search_path = audit, pg_temp AS $$
BEGIN
  IF OLD.archived_at IS NOT NULL
     AND EXISTS (SELECT FROM audit.audit_boundary b
                  WHERE b.domain_id = OLD.domain_id AND b.seq >= OLD.seq) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'audit_append_only' USING ERRCODE = 'PX001',
    DETAIL = 'DELETE on audit_log_entry is never allowed but behind the retention boundary';
END
$$;
DROP TRIGGER audit_log_entry_delete ON audit.audit_log_entry;
CREATE TRIGGER audit_log_entry_delete BEFORE DELETE ON audit.audit_log_entry
  FOR EACH ROW EXECUTE FUNCTION audit.refuse_entry_delete();

-- What stands beside entries leaves by erasure, which is remembered first, or with its entry.
CREATE OR REPLACE FUNCTION audit.refuse_sibling_delete() RETURNS trigger
LANGUAGE plpgsql SET search_path = audit, pg_temp AS $$
DECLARE
  kept boolean;
BEGIN
  IF TG_TABLE_NAME = 'audit_subject_pii' THEN
    SELECT EXISTS (SELECT FROM gone g
                    WHERE NOT EXISTS (SELECT FROM audit.audit_erased_subject x
                                       WHERE x.domain_id = g.domain_id
                                         AND x.subject_pseudonym = g.subject_pseudonym)) INTO kept;
  ELSE
    SELECT EXISTS (SELECT FROM gone g
                     LEFT JOIN audit.audit_log_entry e
                       ON e.domain_id = g.domain_id AND e.seq = g.seq
                    WHERE NOT EXISTS (SELECT FROM audit.audit_erased_subject x
                                       WHERE x.domain_id = g.domain_id
                                         AND x.subject_pseudonym = e.subject_pseudonym)
                      AND NOT EXISTS (SELECT FROM audit.audit_boundary b
                                       WHERE b.domain_id = g.domain_id AND b.seq >= g.seq)) INTO kept;
  END IF;
  IF kept THEN
    RAISE EXCEPTION 'audit_append_only' USING ERRCODE = 'PX001',
      DETAIL = 'rows of ' || TG_TABLE_NAME || ' leave by erasure only';
  END IF;
  RETURN NULL;
END
$$;

-- Removes up to `most` entries behind the boundary, the oldest first, with what stands beside them;
-- only once the newest checkpoint's note says that the chain begins there.
CREATE FUNCTION audit.prune_entries(chain uuid, most bigint, OUT pruned bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = audit, pg_temp AS $$
DECLARE
  last  bigint;
  until bigint;
BEGIN
  pruned := 0;
  SELECT b.seq INTO last FROM audit.audit_boundary b
    JOIN LATERAL (SELECT c.note FROM audit.audit_checkpoint c WHERE c.domain_id = b.domain_id
                   ORDER BY c.size DESC LIMIT 1) n
      ON position(E'\nbegins ' || b.seq || ' ' IN n.note) > 0
   WHERE b.domain_id = chain
         -- What an administrator has brought back stays for a day.
     AND NOT EXISTS (SELECT FROM audit.audit_restore_request r
                      WHERE r.domain_id = chain AND r.from_seq <= b.seq
                        AND (r.ended_at IS NULL OR r.ended_at > now() - interval '1 day'));
  IF NOT FOUND THEN
    RETURN;
  END IF;
  SELECT max(w.seq) INTO until FROM (
    SELECT e.seq FROM audit.audit_log_entry e WHERE e.domain_id = chain AND e.seq <= last
     ORDER BY e.seq LIMIT most) w;
  DELETE FROM audit.audit_request_context c WHERE c.domain_id = chain AND c.seq <= until;
  DELETE FROM audit.audit_log_entry e WHERE e.domain_id = chain AND e.seq <= until;
  GET DIAGNOSTICS pruned = ROW_COUNT;
END
$$;
REVOKE ALL ON FUNCTION audit.prune_entries(uuid, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.prune_entries(uuid, bigint) TO plexsphere_audit;
