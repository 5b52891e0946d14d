-- What every registration calls, in PL/pgSQL: a function in SQL that is SECURITY DEFINER cannot be
-- inlined, and is parsed and planned anew by each statement that calls it. The statements of PL/pgSQL
-- keep their plans as long as the session. What the functions do is as before.

CREATE OR REPLACE FUNCTION tenancy.port_pin_resource(p_resource_id uuid)
RETURNS TABLE (domain_id uuid, project_id uuid, resource_id uuid, kind text, handle text,
               mesh_cidr text, sub_range text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tenancy, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT r.domain_id, r.project_id, r.id, r.kind, coalesce(r.external_ref, r.id::text),
         d.mesh_cidr::text, s.sub_range::text
  FROM tenancy.resources r
  JOIN tenancy.domains d ON d.id = r.domain_id
  LEFT JOIN tenancy.project_mesh_ip_reservations s ON s.project_id = r.project_id
  WHERE r.id = p_resource_id
  FOR KEY SHARE OF r;
END
$$;

CREATE OR REPLACE FUNCTION tenancy.port_project_nodes_registered(p_node_ids uuid[],
                                                                 p_resource_ids uuid[])
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tenancy, pg_temp
AS $$
BEGIN
  INSERT INTO tenancy.live_node (node_id, resource_id)
  SELECT e.node_id, e.resource_id FROM unnest(p_node_ids, p_resource_ids) AS e (node_id, resource_id)
   ORDER BY e.node_id
  ON CONFLICT (node_id) DO NOTHING;
  RETURN true;
END
$$;
