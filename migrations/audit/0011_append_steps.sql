-- The append function as in 0003, in fewer steps for the server: each record is read by a call in
-- the row's own place, not by a scan of a function that is set up for every row, and what stands
-- beside the entries comes from the same rows, without a join to those just inserted.
CREATE TYPE audit.entry_columns AS (
  occurred_at timestamptz, reason text, relation text, object_type text, object_id text,
  subject_pseudonym text, correlation_id text);

CREATE OR REPLACE FUNCTION audit.port_append(
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
  WITH told AS MATERIALIZED (
    SELECT r.domain_id, r.seq, r.prev_hash, r.entry_hash, r.canonical, r.subject_type, r.subject_id,
           r.salt, r.source_ip, r.user_agent, r.object_person, (r.said).occurred_at,
           (r.said).reason, (r.said).relation, (r.said).object_type, (r.said).object_id,
           (r.said).correlation_id, decode((r.said).subject_pseudonym, 'hex') AS subject_pseudonym
      FROM (SELECT u.*, json_populate_record(NULL::audit.entry_columns,
                                             convert_from(u.canonical, 'UTF8')::json) AS said
              FROM unnest(chains, seqs, prevs, hashes, records, subject_types, subject_ids, salts,
                          source_ips, user_agents, object_persons)
                     AS u(domain_id, seq, prev_hash, entry_hash, canonical, subject_type,
                          subject_id, salt, source_ip, user_agent, object_person)
            OFFSET 0) r),  -- or it would be read once for each column
  added AS (
    INSERT INTO audit.audit_log_entry (domain_id, seq, prev_hash, entry_hash, canonical_bytes,
        occurred_at, reason, relation, object_type, object_id, subject_pseudonym, correlation_id)
      SELECT t.domain_id, t.seq, t.prev_hash, t.entry_hash, t.canonical, t.occurred_at, t.reason,
             t.relation, t.object_type, t.object_id, t.subject_pseudonym, t.correlation_id
        FROM told t),
  persons AS (
    SELECT DISTINCT ON (n.domain_id, n.pseudonym) n.*
      FROM (SELECT t.domain_id, t.subject_pseudonym, t.subject_type, t.subject_id FROM told t
            UNION ALL
            SELECT t.domain_id, decode(t.object_id, 'hex'), t.object_type, t.object_person
              FROM told t WHERE t.object_person IS NOT NULL)
           AS n(domain_id, pseudonym, kind, id)),
  named AS (
    INSERT INTO audit.audit_subject_pii (domain_id, subject_pseudonym, subject_type,
        subject_plaintext)
      SELECT n.domain_id, n.pseudonym, n.kind, n.id
        FROM persons n
       WHERE NOT EXISTS (SELECT FROM audit.audit_subject_pii p
                          WHERE p.domain_id = n.domain_id AND p.subject_pseudonym = n.pseudonym)
         AND NOT EXISTS (SELECT FROM audit.audit_erased_subject x
                          WHERE x.domain_id = n.domain_id AND x.subject_pseudonym = n.pseudonym))
  INSERT INTO audit.audit_request_context (domain_id, seq, salt, source_ip, user_agent)
    SELECT t.domain_id, t.seq, t.salt, t.source_ip, t.user_agent
      FROM told t
     WHERE t.salt IS NOT NULL
       AND NOT EXISTS (SELECT FROM audit.audit_erased_subject x
                        WHERE x.domain_id = t.domain_id
                          AND x.subject_pseudonym = t.subject_pseudonym);
  appended := total;

  INSERT INTO audit.audit_log_chain_head AS h (domain_id, seq, entry_hash)
    SELECT r.domain_id, r.seq, r.entry_hash
      FROM unnest(chains, seqs, hashes, lasts) AS r(domain_id, seq, entry_hash, is_last)
     WHERE r.is_last
    ON CONFLICT (domain_id) DO UPDATE SET seq = excluded.seq, entry_hash = excluded.entry_hash;
END
$$;
