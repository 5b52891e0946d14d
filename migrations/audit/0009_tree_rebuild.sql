-- Kept nodes that were damaged are dropped, for the next checkpoint to grow them anew from the
-- entries and prove them against the last signed root. For the database's administrator alone.
CREATE FUNCTION audit.refuse_node_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = audit, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('audit.tree_rebuild', true) = OLD.domain_id::text THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'audit_append_only' USING ERRCODE = 'PX001',
    DETAIL = TG_OP || ' on audit_tree_node is never allowed but by audit.drop_tree';
END
$$;
DROP TRIGGER audit_tree_node_change ON audit.audit_tree_node;
CREATE TRIGGER audit_tree_node_change BEFORE UPDATE OR DELETE ON audit.audit_tree_node
  FOR EACH ROW EXECUTE FUNCTION audit.refuse_node_change();

-- Nodes over entries that have left are all that is known of these, and stay; so does the tile after
-- them, from which the tree is grown on.
CREATE FUNCTION audit.drop_tree(chain uuid, OUT dropped bigint)
LANGUAGE plpgsql VOLATILE SET search_path = audit, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('plexsphere.audit.' || chain::text, 0));
  PERFORM set_config('audit.tree_rebuild', chain::text, true);
  DELETE FROM audit.audit_tree_node n
   WHERE n.domain_id = chain
     AND ((n.idx + 1) << n.level) > coalesce(
           (SELECT b.seq + 256 FROM audit.audit_boundary b WHERE b.domain_id = chain), 0);
  GET DIAGNOSTICS dropped = ROW_COUNT;
  PERFORM set_config('audit.tree_rebuild', '', true);
END
$$;
REVOKE ALL ON FUNCTION audit.drop_tree(uuid) FROM PUBLIC;
