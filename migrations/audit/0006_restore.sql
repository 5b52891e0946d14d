-- A window of a chain that was dropped comes back from the mirror. The database's administrator asks
-- for it (plexsphere-bootstrap), the core does it, for it alone reaches the mirror, and what it
-- brings is proved here, against the hashes of what is still there.

CREATE TABLE audit.audit_restore_request (
  id           uuid        NOT NULL,
  domain_id    uuid        NOT NULL,
  from_seq     bigint      NOT NULL CHECK (from_seq >= 1),
  to_seq       bigint      NOT NULL,
  requested_by text        NOT NULL DEFAULT session_user,
  requested_at timestamptz NOT NULL DEFAULT now(),
  restored     bigint      NOT NULL DEFAULT 0,
  ended_at     timestamptz,
  outcome      text CHECK (outcome IN ('restored', 'refused')),
  detail       text,
  CONSTRAINT audit_restore_request_pkey PRIMARY KEY (id),
  CONSTRAINT audit_restore_request_window CHECK (to_seq >= from_seq AND to_seq - from_seq < 1000000),
  CONSTRAINT audit_restore_request_end CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
-- The core answers requests and cannot make one.
GRANT SELECT, UPDATE (restored, ended_at, outcome, detail)
  ON audit.audit_restore_request TO plexsphere_audit;

-- Puts entries back that are missing in the window of an open request. Every entry must be what its
-- hash says and name its own chain and number, and what comes after it, another of the call, a
-- stored one or the head, must name its hash; so must it name that of the one before, where there is
-- one. Callers go from the end of the window to its beginning.
CREATE FUNCTION audit.restore_entries(
  request uuid, seqs bigint[], prevs bytea[], hashes bytea[], canonicals bytea[], etags text[],
  OUT inserted bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = audit, pg_temp AS $$
DECLARE
  total int := coalesce(cardinality(seqs), 0);
  asked audit.audit_restore_request;
  head  bytea;
  wrong bigint;
BEGIN
  IF cardinality(prevs) <> total OR cardinality(hashes) <> total
     OR cardinality(canonicals) <> total OR cardinality(etags) <> total THEN
    RAISE EXCEPTION 'audit_arrays_differ' USING ERRCODE = 'PX001';
  END IF;
  SELECT * INTO asked FROM audit.audit_restore_request r
   WHERE r.id = request AND r.ended_at IS NULL FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'audit_restore_not_asked' USING ERRCODE = 'PX001';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('plexsphere.audit.' || asked.domain_id::text, 0));
  head := convert_to('{"v":1,"chain":"' || asked.domain_id::text || '","seq":', 'UTF8');

  SELECT min(r.seq) INTO wrong FROM unnest(seqs) AS r(seq)
   WHERE r.seq IS NULL OR r.seq < asked.from_seq OR r.seq > asked.to_seq;
  IF wrong IS NOT NULL OR array_position(seqs, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'audit_restore_outside_window' USING ERRCODE = 'PX001';
  END IF;
  SELECT min(r.seq) INTO wrong
    FROM unnest(seqs, prevs, hashes, canonicals) AS r(seq, prev_hash, entry_hash, canonical)
   WHERE r.entry_hash IS DISTINCT FROM sha256(r.prev_hash || sha256(r.canonical))
      OR substr(r.canonical, 1, length(head) + length(r.seq::text) + 1)
           IS DISTINCT FROM head || convert_to(r.seq::text || ',', 'UTF8');
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'audit_restore_not_sound' USING ERRCODE = 'PX001',
      DETAIL = 'entry ' || wrong || ' is not what its hash says, or another entry';
  END IF;

  INSERT INTO audit.audit_log_entry (domain_id, seq, prev_hash, entry_hash, canonical_bytes,
      occurred_at, reason, relation, object_type, object_id, subject_pseudonym, correlation_id,
      archive_etag, archived_at)
    SELECT asked.domain_id, r.seq, r.prev_hash, r.entry_hash, r.canonical, j.occurred_at, j.reason,
           j.relation, j.object_type, j.object_id, decode(j.subject_pseudonym, 'hex'),
           j.correlation_id, r.etag, j.occurred_at  -- it was archived no earlier
      FROM unnest(seqs, prevs, hashes, canonicals, etags)
             AS r(seq, prev_hash, entry_hash, canonical, etag),
           json_to_record(convert_from(r.canonical, 'UTF8')::json)
             AS j(occurred_at timestamptz, reason text, relation text, object_type text,
                  object_id text, subject_pseudonym text, correlation_id text);
  GET DIAGNOSTICS inserted = ROW_COUNT;

  SELECT min(e.seq) INTO wrong
    FROM audit.audit_log_entry e
    LEFT JOIN audit.audit_log_entry later ON later.domain_id = e.domain_id AND later.seq = e.seq + 1
    LEFT JOIN audit.audit_log_entry before ON before.domain_id = e.domain_id
                                          AND before.seq = e.seq - 1
    LEFT JOIN audit.audit_log_chain_head h ON h.domain_id = e.domain_id
   WHERE e.domain_id = asked.domain_id AND e.seq = ANY (seqs)
     AND (coalesce(later.prev_hash, CASE WHEN h.seq = e.seq THEN h.entry_hash END)
            IS DISTINCT FROM e.entry_hash
          OR (before.seq IS NOT NULL AND before.entry_hash <> e.prev_hash)
          OR (e.seq = 1 AND e.prev_hash <> decode(repeat('00', 32), 'hex')));
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'audit_restore_not_linked' USING ERRCODE = 'PX001',
      DETAIL = 'nothing that is stored vouches for entry ' || wrong || ', or it names another before it';
  END IF;
  UPDATE audit.audit_restore_request r SET restored = r.restored + inserted WHERE r.id = request;
END
$$;
REVOKE ALL ON FUNCTION audit.restore_entries(uuid, bigint[], bytea[], bytea[], bytea[], text[])
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.restore_entries(uuid, bigint[], bytea[], bytea[], bytea[], text[])
  TO plexsphere_audit;
