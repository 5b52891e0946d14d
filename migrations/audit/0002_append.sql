-- Appends a batch of entries, of one chain or several, in one call inside the caller's transaction.
--
-- The arrays run in parallel, one element per entry, ordered by chain. heads[i] ‖ seq ‖ tails[i]
-- are the canonical bytes; the encoder that makes head and tail lives in C++ and is the only one.
-- salts[i] is null when neither address nor user agent is known.
--
-- Every statement of a volatile PL/pgSQL function takes its own snapshot, and that is what the
-- order of steps rests on: the locks are taken first, so the heads read afterwards are those that
-- the previous holder has committed. Read in the same statement they would be stale.
CREATE FUNCTION audit.port_append(
  chains uuid[], heads bytea[], tails bytea[], subject_types text[], subject_ids text[],
  salts bytea[], source_ips text[], user_agents text[], OUT appended bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = audit, pg_temp AS $$
DECLARE
  total     int := coalesce(cardinality(chains), 0);
  chain   uuid;
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
     OR cardinality(user_agents) <> total THEN
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

  -- One statement for the rows and for the subjects seen for the first time.
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
      RETURNING audit_log_entry.domain_id, audit_log_entry.seq, audit_log_entry.subject_pseudonym)
  INSERT INTO audit.audit_subject_pii (domain_id, subject_pseudonym, subject_type,
      subject_plaintext)
    SELECT DISTINCT ON (a.domain_id, a.subject_pseudonym)
           a.domain_id, a.subject_pseudonym, r.subject_type, r.subject_id
      FROM added a
      JOIN unnest(chains, seqs, subject_types, subject_ids)
             AS r(domain_id, seq, subject_type, subject_id)
           ON r.domain_id = a.domain_id AND r.seq = a.seq
     WHERE NOT EXISTS (SELECT FROM audit.audit_subject_pii p
                        WHERE p.domain_id = a.domain_id
                          AND p.subject_pseudonym = a.subject_pseudonym);
  appended := total;

  INSERT INTO audit.audit_request_context (domain_id, seq, salt, source_ip, user_agent)
    SELECT r.domain_id, r.seq, r.salt, r.source_ip, r.user_agent
      FROM unnest(chains, seqs, salts, source_ips, user_agents)
             AS r(domain_id, seq, salt, source_ip, user_agent)
     WHERE r.salt IS NOT NULL;

  INSERT INTO audit.audit_log_chain_head AS h (domain_id, seq, entry_hash)
    SELECT r.domain_id, r.seq, r.entry_hash
      FROM unnest(chains, seqs, hashes, lasts) AS r(domain_id, seq, entry_hash, is_last)
     WHERE r.is_last
    ON CONFLICT (domain_id) DO UPDATE SET seq = excluded.seq, entry_hash = excluded.entry_hash;
END
$$;

REVOKE ALL ON FUNCTION audit.port_append(uuid[], bytea[], bytea[], text[], text[], bytea[], text[],
  text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.port_append(uuid[], bytea[], bytea[], text[], text[], bytea[],
  text[], text[]) TO port_audit, plexsphere_audit;
