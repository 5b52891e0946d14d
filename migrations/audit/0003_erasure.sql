-- Erasure of a person from a chain: what the chain itself never held is deleted beside it, and stays
-- away. The hashed bytes are not touched, so the chain verifies before and after.

-- Pseudonyms whose plaintext is gone for good. A pseudonym stands for the same person in every entry
-- of a chain, so one later row beside any of them would give back all; hence this memory. It holds
-- no plaintext and cannot be turned into one without the pepper.
CREATE TABLE audit.audit_erased_subject (
  domain_id         uuid        NOT NULL,
  subject_pseudonym bytea       NOT NULL CHECK (octet_length(subject_pseudonym) = 32),
  erased_at         timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT audit_erased_subject_pkey PRIMARY KEY (domain_id, subject_pseudonym)
);
GRANT SELECT ON audit.audit_erased_subject TO plexsphere_audit;

-- The planner's statistics are copies of values too, and nothing would erase them there: the columns
-- get none, and stating the type again drops what an earlier ANALYZE took.
ALTER TABLE audit.audit_subject_pii
  ALTER COLUMN subject_plaintext TYPE text,
  ALTER COLUMN subject_plaintext SET STATISTICS 0;
ALTER TABLE audit.audit_request_context
  ALTER COLUMN salt TYPE bytea, ALTER COLUMN salt SET STATISTICS 0,
  ALTER COLUMN source_ip TYPE text, ALTER COLUMN source_ip SET STATISTICS 0,
  ALTER COLUMN user_agent TYPE text, ALTER COLUMN user_agent SET STATISTICS 0;

-- A deleted row lies in the files until it is vacuumed. Nothing but erasure deletes here, so any
-- deleted row is a reason to.
ALTER TABLE audit.audit_subject_pii
  SET (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0);
ALTER TABLE audit.audit_request_context
  SET (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0);

-- Siblings leave by erasure only, which is remembered first.
CREATE FUNCTION audit.refuse_sibling_delete() RETURNS trigger
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
                                         AND x.subject_pseudonym = e.subject_pseudonym)) INTO kept;
  END IF;
  IF kept THEN
    RAISE EXCEPTION 'audit_append_only' USING ERRCODE = 'PX001',
      DETAIL = 'rows of ' || TG_TABLE_NAME || ' leave by erasure only';
  END IF;
  RETURN NULL;
END
$$;

CREATE TRIGGER audit_subject_pii_delete AFTER DELETE ON audit.audit_subject_pii
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_sibling_delete();
CREATE TRIGGER audit_request_context_delete AFTER DELETE ON audit.audit_request_context
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_sibling_delete();
CREATE TRIGGER audit_subject_pii_update BEFORE UPDATE ON audit.audit_subject_pii
  FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER audit_request_context_update BEFORE UPDATE ON audit.audit_request_context
  FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER audit_erased_subject_change BEFORE UPDATE OR DELETE ON audit.audit_erased_subject
  FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();

-- TRUNCATE passes by row triggers; it takes a whole table, and none of these is ever to lose one.
CREATE TRIGGER audit_subject_pii_truncate BEFORE TRUNCATE ON audit.audit_subject_pii
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER audit_request_context_truncate BEFORE TRUNCATE ON audit.audit_request_context
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER audit_erased_subject_truncate BEFORE TRUNCATE ON audit.audit_erased_subject
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER audit_pepper_truncate BEFORE TRUNCATE ON audit.audit_pepper
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER audit_tamper_quarantine_truncate BEFORE TRUNCATE ON audit.audit_tamper_quarantine
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();

-- Deletes what stands beside a pseudonym's entries, and remembers that nothing may stand there
-- again. The caller appends the erasure's own entry in the same transaction.
--
-- The long deletion comes before the chain's lock. What others append meanwhile lies beyond the head
-- seen first, and is deleted under the lock; what they append later finds the memory.
CREATE FUNCTION audit.erase_subject(
  chain uuid, pseudonym bytea, OUT subjects bigint, OUT contexts bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = audit, pg_temp AS $$
DECLARE
  seen  bigint;
  later bigint;
BEGIN
  INSERT INTO audit.audit_erased_subject (domain_id, subject_pseudonym) VALUES (chain, pseudonym)
    ON CONFLICT DO NOTHING;
  SELECT coalesce(max(h.seq), 0) INTO seen
    FROM audit.audit_log_chain_head h WHERE h.domain_id = chain;

  DELETE FROM audit.audit_request_context c USING audit.audit_log_entry e
   WHERE e.domain_id = chain AND e.subject_pseudonym = pseudonym AND e.seq <= seen
     AND c.domain_id = e.domain_id AND c.seq = e.seq;
  GET DIAGNOSTICS contexts = ROW_COUNT;

  PERFORM pg_advisory_xact_lock(hashtextextended('plexsphere.audit.' || chain::text, 0));
  DELETE FROM audit.audit_request_context c USING audit.audit_log_entry e
   WHERE e.domain_id = chain AND e.subject_pseudonym = pseudonym AND e.seq > seen
     AND c.domain_id = e.domain_id AND c.seq = e.seq;
  GET DIAGNOSTICS later = ROW_COUNT;
  contexts := contexts + later;
  DELETE FROM audit.audit_subject_pii p
   WHERE p.domain_id = chain AND p.subject_pseudonym = pseudonym;
  GET DIAGNOSTICS subjects = ROW_COUNT;
END
$$;
REVOKE ALL ON FUNCTION audit.erase_subject(uuid, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.erase_subject(uuid, bytea) TO plexsphere_audit;

-- The append function with what erasure needs: an entry about a person names them by pseudonym as
-- well (object_persons[i] is that person's id, else null), and nothing is written beside the
-- entries of the erased. Otherwise as in 0002.
CREATE FUNCTION audit.port_append(
  chains uuid[], heads bytea[], tails bytea[], subject_types text[], subject_ids text[],
  salts bytea[], source_ips text[], user_agents text[], object_persons text[],
  OUT appended bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = audit, pg_temp AS $$
DECLARE
  total     int := coalesce(cardinality(chains), 0);
  chain     uuid;
  head      bytea;
  last_seq  bigint;
  last_hash bytea;
  canonical bytea;
  seqs      bigint[] := '{}';
  prevs     bytea[] := '{}';
  hashes    bytea[] := '{}';
  records   bytea[] := '{}';
  lasts     boolean[] := '{}';
BEGIN
  IF cardinality(heads) <> total OR cardinality(tails) <> total
     OR cardinality(subject_types) <> total OR cardinality(subject_ids) <> total
     OR cardinality(salts) <> total OR cardinality(source_ips) <> total
     OR cardinality(user_agents) <> total OR cardinality(object_persons) <> total THEN
    RAISE EXCEPTION 'audit_arrays_differ' USING ERRCODE = 'PX001';
  END IF;

  FOR i IN 1..total LOOP
    CONTINUE WHEN chains[i] = chain;
    IF chains[i] IS NULL OR chains[i] < chain THEN
      RAISE EXCEPTION 'audit_chains_unordered' USING ERRCODE = 'PX001';
    END IF;
    chain := chains[i];
    PERFORM pg_advisory_xact_lock(hashtextextended('plexsphere.audit.' || chain::text, 0));
  END LOOP;

  chain := NULL;
  FOR i IN 1..total LOOP
    IF chains[i] IS DISTINCT FROM chain THEN
      chain := chains[i];
      head := convert_to('{"v":1,"chain":"' || chain::text || '","seq":', 'UTF8');
      SELECT h.seq, h.entry_hash INTO last_seq, last_hash
        FROM audit.audit_log_chain_head h WHERE h.domain_id = chain;
      IF NOT FOUND THEN
        last_seq := 0;
        last_hash := decode(repeat('00', 32), 'hex');
      END IF;
    END IF;
    IF heads[i] IS DISTINCT FROM head THEN
      RAISE EXCEPTION 'audit_head_of_another_chain' USING ERRCODE = 'PX001';
    END IF;
    last_seq := last_seq + 1;
    canonical := heads[i] || last_seq::text::bytea || tails[i];
    prevs[i] := last_hash;
    last_hash := sha256(last_hash || sha256(canonical));
    seqs[i] := last_seq;
    hashes[i] := last_hash;
    records[i] := canonical;
    lasts[i] := i = total OR chains[i + 1] IS DISTINCT FROM chain;
  END LOOP;

  -- One statement for the rows and for what may stand beside them.
  WITH added AS (
    INSERT INTO audit.audit_log_entry (domain_id, seq, prev_hash, entry_hash, canonical_bytes,
        occurred_at, reason, relation, object_type, object_id, subject_pseudonym, correlation_id)
      SELECT r.domain_id, r.seq, r.prev_hash, r.entry_hash, r.canonical, j.occurred_at, j.reason,
             j.relation, j.object_type, j.object_id, decode(j.subject_pseudonym, 'hex'),
             j.correlation_id
        FROM unnest(chains, seqs, prevs, hashes, records)
               AS r(domain_id, seq, prev_hash, entry_hash, canonical),
             json_to_record(convert_from(r.canonical, 'UTF8')::json)
               AS j(occurred_at timestamptz, reason text, relation text, object_type text,
                    object_id text, subject_pseudonym text, correlation_id text)
      RETURNING audit_log_entry.domain_id, audit_log_entry.seq, audit_log_entry.subject_pseudonym,
                audit_log_entry.object_type, audit_log_entry.object_id),
  beside AS MATERIALIZED (
    SELECT a.domain_id, a.seq, a.subject_pseudonym, a.object_type, a.object_id, r.subject_type,
           r.subject_id, r.salt, r.source_ip, r.user_agent, r.object_person,
           EXISTS (SELECT FROM audit.audit_erased_subject x
                    WHERE x.domain_id = a.domain_id
                      AND x.subject_pseudonym = a.subject_pseudonym) AS erased
      FROM added a
      JOIN unnest(chains, seqs, subject_types, subject_ids, salts, source_ips, user_agents,
                  object_persons)
             AS r(domain_id, seq, subject_type, subject_id, salt, source_ip, user_agent,
                  object_person)
           ON r.domain_id = a.domain_id AND r.seq = a.seq),
  persons AS (
    SELECT b.domain_id, b.subject_pseudonym, b.subject_type, b.subject_id
      FROM beside b WHERE NOT b.erased
    UNION ALL
    SELECT b.domain_id, decode(b.object_id, 'hex'), b.object_type, b.object_person
      FROM beside b
     WHERE b.object_person IS NOT NULL
       AND NOT EXISTS (SELECT FROM audit.audit_erased_subject x
                        WHERE x.domain_id = b.domain_id
                          AND x.subject_pseudonym = decode(b.object_id, 'hex'))),
  named AS (
    INSERT INTO audit.audit_subject_pii (domain_id, subject_pseudonym, subject_type,
        subject_plaintext)
      SELECT DISTINCT ON (n.domain_id, n.subject_pseudonym)
             n.domain_id, n.subject_pseudonym, n.subject_type, n.subject_id
        FROM persons n
       WHERE NOT EXISTS (SELECT FROM audit.audit_subject_pii p
                          WHERE p.domain_id = n.domain_id
                            AND p.subject_pseudonym = n.subject_pseudonym))
  INSERT INTO audit.audit_request_context (domain_id, seq, salt, source_ip, user_agent)
    SELECT b.domain_id, b.seq, b.salt, b.source_ip, b.user_agent
      FROM beside b WHERE b.salt IS NOT NULL AND NOT b.erased;
  appended := total;

  INSERT INTO audit.audit_log_chain_head AS h (domain_id, seq, entry_hash)
    SELECT r.domain_id, r.seq, r.entry_hash
      FROM unnest(chains, seqs, hashes, lasts) AS r(domain_id, seq, entry_hash, is_last)
     WHERE r.is_last
    ON CONFLICT (domain_id) DO UPDATE SET seq = excluded.seq, entry_hash = excluded.entry_hash;
END
$$;
REVOKE ALL ON FUNCTION audit.port_append(uuid[], bytea[], bytea[], text[], text[], bytea[], text[],
  text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.port_append(uuid[], bytea[], bytea[], text[], text[], bytea[],
  text[], text[], text[]) TO port_audit, plexsphere_audit;

-- The release before this one calls the shorter form while both run; it remembers the erased too.
CREATE OR REPLACE FUNCTION audit.port_append(
  chains uuid[], heads bytea[], tails bytea[], subject_types text[], subject_ids text[],
  salts bytea[], source_ips text[], user_agents text[], OUT appended bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = audit, pg_temp AS $$
BEGIN
  appended := (SELECT p.appended FROM audit.port_append(chains, heads, tails, subject_types,
    subject_ids, salts, source_ips, user_agents,
    array_fill(NULL::text, ARRAY[coalesce(cardinality(chains), 0)])) p);
END
$$;
