-- Events of all contexts, appended in the transaction of the change they tell of. Partitioned by day
-- from the first day, so that retention is a DROP and never a DELETE.
CREATE TABLE platform.outbox (
  id             uuid        NOT NULL,
  domain_id      uuid,                                   -- null: a platform event
  event_type     text        NOT NULL CHECK (event_type <> ''),
  aggregate_type text        NOT NULL,
  aggregate_id   uuid        NOT NULL,
  payload        jsonb       NOT NULL CHECK (jsonb_typeof(payload) = 'object'),
  correlation_id text        NOT NULL DEFAULT '',
  occurred_at    timestamptz NOT NULL DEFAULT transaction_timestamp(),
  published_seq  bigint,                                 -- null: the relay has not taken it yet
  PRIMARY KEY (id, occurred_at)
) PARTITION BY RANGE (occurred_at);

CREATE INDEX outbox_unpublished ON platform.outbox (occurred_at, id) WHERE published_seq IS NULL;

-- Takes what falls on a day without a partition: a job that did not run must not stop registrations.
CREATE TABLE platform.outbox_default PARTITION OF platform.outbox DEFAULT;

-- Appends many events in one call. Arrays are parallel; a zero Domain means none.
CREATE FUNCTION platform.port_outbox_append(
  p_ids uuid[], p_domain_ids uuid[], p_event_types text[], p_aggregate_types text[],
  p_aggregate_ids uuid[], p_payloads text[], p_correlation_ids text[])
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE
  appended bigint;
BEGIN
  INSERT INTO platform.outbox (id, domain_id, event_type, aggregate_type, aggregate_id, payload,
                               correlation_id)
  SELECT id, nullif(domain_id, '00000000-0000-0000-0000-000000000000'), event_type, aggregate_type,
         aggregate_id, payload::jsonb, correlation_id
    FROM unnest(p_ids, p_domain_ids, p_event_types, p_aggregate_types, p_aggregate_ids, p_payloads,
                p_correlation_ids)
         AS event (id, domain_id, event_type, aggregate_type, aggregate_id, payload, correlation_id);
  GET DIAGNOSTICS appended = ROW_COUNT;
  RETURN appended;
END $$;
REVOKE ALL ON FUNCTION platform.port_outbox_append FROM PUBLIC;
GRANT EXECUTE ON FUNCTION platform.port_outbox_append TO port_outbox;

-- Makes partitions from today to p_days_ahead and drops those that ended more than p_keep_days ago
-- and hold nothing unpublished. Idempotent. Returns how many it made and dropped.
CREATE FUNCTION platform.outbox_maintain(p_days_ahead int, p_keep_days int,
                                         OUT made int, OUT dropped int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE
  today   date := (transaction_timestamp() AT TIME ZONE 'UTC')::date;
  day     date;
  name    text;
  pending boolean;
BEGIN
  made := 0;
  dropped := 0;
  FOR day IN SELECT today + n FROM generate_series(0, p_days_ahead) AS n LOOP
    name := 'outbox_' || to_char(day, 'YYYYMMDD');
    CONTINUE WHEN to_regclass('platform.' || name) IS NOT NULL;
    -- Rows already in the default partition keep the day there; the next day gets its own again.
    CONTINUE WHEN EXISTS (SELECT FROM platform.outbox_default
                           WHERE occurred_at >= day::timestamp AT TIME ZONE 'UTC'
                             AND occurred_at < (day + 1)::timestamp AT TIME ZONE 'UTC');
    EXECUTE format('CREATE TABLE platform.%I PARTITION OF platform.outbox FOR VALUES FROM (%L) TO (%L)',
                   name, day::timestamp AT TIME ZONE 'UTC',
                   (day + 1)::timestamp AT TIME ZONE 'UTC');
    made := made + 1;
  END LOOP;
  FOR name IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
               WHERE i.inhparent = 'platform.outbox'::regclass AND c.relname ~ '^outbox_[0-9]{8}$'
                 AND to_date(right(c.relname, 8), 'YYYYMMDD') < today - p_keep_days
               ORDER BY c.relname LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM platform.%I WHERE published_seq IS NULL)', name)
       INTO pending;
    CONTINUE WHEN pending;
    EXECUTE format('DROP TABLE platform.%I', name);
    dropped := dropped + 1;
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION platform.outbox_maintain FROM PUBLIC;
GRANT EXECUTE ON FUNCTION platform.outbox_maintain TO plexsphere_platform;

SELECT platform.outbox_maintain(7, 30);
