-- Relation tuples: object#relation@subject. One row is one statement of who relates to what; the
-- meaning of the names is compiled into the plugin, so a row with an unknown name grants nothing.

-- UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then random.
CREATE FUNCTION authz.new_id() RETURNS uuid
LANGUAGE sql VOLATILE
SET search_path = authz, pg_temp
AS $$
  SELECT pg_catalog.encode(
           pg_catalog.set_bit(
             pg_catalog.set_bit(
               pg_catalog.overlay(
                 pg_catalog.uuid_send(pg_catalog.gen_random_uuid()),
                 pg_catalog.substring(
                   pg_catalog.int8send(
                     pg_catalog.floor(extract(epoch FROM pg_catalog.clock_timestamp()) * 1000)::bigint),
                   3),
                 1, 6),
               52, 1),
             53, 1),
           'hex')::uuid
$$;

CREATE TABLE authz.relation_tuples (
  id uuid PRIMARY KEY DEFAULT authz.new_id(),
  object_type text NOT NULL,
  object_id text NOT NULL,
  relation text NOT NULL,
  subject_type text NOT NULL,
  subject_id text NOT NULL,
  subject_relation text NOT NULL DEFAULT '',  -- empty: the subject itself, not a set
  created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  CONSTRAINT relation_tuples_names CHECK (
    object_type ~ '^[a-z][a-z0-9_-]{0,63}$' AND relation ~ '^[a-z][a-z0-9_-]{0,63}$'
    AND subject_type ~ '^[a-z][a-z0-9_-]{0,63}$'
    AND subject_relation ~ '^([a-z][a-z0-9_-]{0,63})?$'),
  CONSTRAINT relation_tuples_ids CHECK (
    pg_catalog.length(object_id) BETWEEN 1 AND 256
    AND pg_catalog.length(subject_id) BETWEEN 1 AND 256),
  CONSTRAINT relation_tuples_key UNIQUE
    (object_type, object_id, relation, subject_type, subject_id, subject_relation)
);
-- A check reads what leads on from an object, and what names its subject, and nothing else: a Domain
-- with ten thousand members costs a check no more than one with ten.
CREATE INDEX relation_tuples_leading_on ON authz.relation_tuples (object_type, object_id)
  WHERE relation = 'parent' OR subject_relation <> '';
CREATE INDEX relation_tuples_subject
  ON authz.relation_tuples (subject_type, subject_id, object_type, object_id);

GRANT SELECT ON authz.relation_tuples TO plexsphere_authz;

-- Writes tuples in the transaction of whoever creates the object; one that exists stays. Arrays run
-- in parallel. What may hang on the platform is not for other contexts to say.
CREATE FUNCTION authz.port_write(
  p_object_types text[], p_object_ids text[], p_relations text[],
  p_subject_types text[], p_subject_ids text[], p_subject_relations text[])
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = authz, pg_temp
AS $$
DECLARE
  written bigint;
BEGIN
  IF 'platform' = ANY (p_object_types) THEN
    RAISE EXCEPTION 'platform_tuple_refused' USING ERRCODE = 'PX001';
  END IF;
  INSERT INTO authz.relation_tuples
    (object_type, object_id, relation, subject_type, subject_id, subject_relation)
  SELECT * FROM unnest(p_object_types, p_object_ids, p_relations,
                                  p_subject_types, p_subject_ids, p_subject_relations)
  ORDER BY 1, 2, 3, 4, 5, 6  -- two writers of the same tuples wait for each other, never deadlock
  ON CONFLICT ON CONSTRAINT relation_tuples_key DO NOTHING;
  GET DIAGNOSTICS written = ROW_COUNT;
  RETURN written;
END
$$;

-- Removes every tuple on the object and every tuple in which it is the subject, sets of it included.
CREATE FUNCTION authz.port_remove_object(p_type text, p_id text)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = authz, pg_temp
AS $$
DECLARE
  removed bigint;
BEGIN
  IF p_type = 'platform' THEN
    RAISE EXCEPTION 'platform_tuple_refused' USING ERRCODE = 'PX001';
  END IF;
  DELETE FROM authz.relation_tuples
  WHERE (object_type = p_type AND object_id = p_id)
     OR (subject_type = p_type AND subject_id = p_id);
  GET DIAGNOSTICS removed = ROW_COUNT;
  RETURN removed;
END
$$;

-- Makes a user the platform's administrator and auditor: the deployment's first operator, who has
-- nobody to be granted by. For the administrative login of plexsphere-bootstrap only; no context
-- may call it.
CREATE FUNCTION authz.port_bootstrap_platform_admin(p_user_id uuid)
RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = authz, pg_temp
AS $$
  INSERT INTO authz.relation_tuples (object_type, object_id, relation, subject_type, subject_id)
  VALUES ('platform', 'plexsphere', 'admin', 'user', p_user_id::text),
         ('platform', 'plexsphere', 'auditor', 'user', p_user_id::text)
  ON CONFLICT ON CONSTRAINT relation_tuples_key DO NOTHING
$$;

REVOKE ALL ON FUNCTION authz.new_id() FROM PUBLIC, plexsphere_authz;
REVOKE ALL ON FUNCTION authz.port_write(text[], text[], text[], text[], text[], text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION authz.port_remove_object(text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION authz.port_bootstrap_platform_admin(uuid) FROM PUBLIC, plexsphere_authz;
GRANT EXECUTE ON FUNCTION authz.port_write(text[], text[], text[], text[], text[], text[])
  TO port_authz;
GRANT EXECUTE ON FUNCTION authz.port_remove_object(text, text) TO port_authz;
