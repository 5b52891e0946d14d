-- The id of every tuple that is written, in PL/pgSQL: a function in SQL with settings of its own cannot
-- be inlined, and is parsed and planned anew by each statement that calls it. The expression of
-- PL/pgSQL keeps its plan as long as the session. The ids are as before.
CREATE OR REPLACE FUNCTION authz.new_id() RETURNS uuid
LANGUAGE plpgsql VOLATILE
SET search_path = authz, pg_temp
AS $$
BEGIN
  RETURN pg_catalog.encode(
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
           'hex')::uuid;
END
$$;
