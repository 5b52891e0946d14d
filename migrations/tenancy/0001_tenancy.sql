-- Domains, Projects, Resources. Mesh ranges never overlap where they must not, and a Project's range
-- stays inside its Domain's pool, whatever two transactions do at once: the tables say so.

CREATE TABLE tenancy.domains (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  slug text COLLATE "C" NOT NULL,  -- lists go by it, in one order on every server
  description text NOT NULL DEFAULT '',
  region text,
  mesh_cidr cidr NOT NULL,  -- cidr refuses host bits
  heartbeat_interval_ms bigint NOT NULL,
  stale_after_ms bigint NOT NULL,
  unreachable_after_ms bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  updated_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  CONSTRAINT domains_slug_key UNIQUE (slug),
  CONSTRAINT domains_mesh_cidr_excl EXCLUDE USING gist (mesh_cidr inet_ops WITH &&),
  CONSTRAINT domains_id_mesh_cidr_key UNIQUE (id, mesh_cidr),  -- target of the reservations
  CONSTRAINT domains_name CHECK (pg_catalog.length(name) BETWEEN 1 AND 255),
  CONSTRAINT domains_slug CHECK (
    slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND pg_catalog.length(slug) <= 64),
  CONSTRAINT domains_description CHECK (pg_catalog.length(description) <= 1024),
  CONSTRAINT domains_region CHECK (
    region ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND pg_catalog.length(region) <= 64),
  CONSTRAINT domains_reachability CHECK (
    heartbeat_interval_ms BETWEEN 10000 AND 3600000
    AND stale_after_ms BETWEEN 3 * heartbeat_interval_ms AND 3600000
    AND unreachable_after_ms BETWEEN 2 * stale_after_ms AND 3600000)
);

CREATE TABLE tenancy.projects (
  id uuid PRIMARY KEY,
  domain_id uuid NOT NULL,
  name text NOT NULL,
  slug text COLLATE "C" NOT NULL,  -- lists go by it, in one order on every server
  description text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  updated_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  CONSTRAINT projects_domain_fk FOREIGN KEY (domain_id)
    REFERENCES tenancy.domains (id) ON DELETE RESTRICT,
  CONSTRAINT projects_slug_key UNIQUE (domain_id, slug),
  CONSTRAINT projects_domain_id_key UNIQUE (domain_id, id),
  CONSTRAINT projects_name CHECK (pg_catalog.length(name) BETWEEN 1 AND 255),
  CONSTRAINT projects_slug CHECK (
    slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND pg_catalog.length(slug) <= 64),
  CONSTRAINT projects_description CHECK (pg_catalog.length(description) <= 1024)
);
CREATE INDEX projects_slug_order ON tenancy.projects (slug, id);

-- The pool stands beside the range, tied to the Domain's row: retargeting the Domain carries it
-- along, and is refused by the containment check when a range would be left outside. Ranges of
-- different Domains cannot meet since their pools do not, so one exclusion serves all of them.
CREATE TABLE tenancy.project_mesh_ip_reservations (
  project_id uuid PRIMARY KEY,
  domain_id uuid NOT NULL,
  mesh_cidr cidr NOT NULL,
  sub_range cidr NOT NULL,
  CONSTRAINT reservations_project_fk FOREIGN KEY (domain_id, project_id)
    REFERENCES tenancy.projects (domain_id, id) ON DELETE CASCADE,
  CONSTRAINT reservations_pool_fk FOREIGN KEY (domain_id, mesh_cidr)
    REFERENCES tenancy.domains (id, mesh_cidr) ON UPDATE CASCADE ON DELETE RESTRICT,
  CONSTRAINT reservations_inside_pool CHECK (sub_range <<= mesh_cidr),
  CONSTRAINT reservations_sub_range_excl EXCLUDE USING gist (sub_range inet_ops WITH &&)
);
CREATE INDEX reservations_pool ON tenancy.project_mesh_ip_reservations (domain_id, mesh_cidr);

CREATE TABLE tenancy.resources (
  id uuid PRIMARY KEY,
  domain_id uuid NOT NULL,
  project_id uuid NOT NULL,
  kind text NOT NULL,
  external_ref text,  -- the handle a registration names; without one, the id is
  origin text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  updated_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  CONSTRAINT resources_project_fk FOREIGN KEY (domain_id, project_id)
    REFERENCES tenancy.projects (domain_id, id) ON DELETE RESTRICT,
  CONSTRAINT resources_external_ref_key UNIQUE (project_id, external_ref),
  CONSTRAINT resources_kind CHECK (pg_catalog.length(kind) BETWEEN 1 AND 64),
  CONSTRAINT resources_external_ref CHECK (pg_catalog.length(external_ref) BETWEEN 1 AND 256),
  CONSTRAINT resources_origin CHECK (origin IN ('adopted', 'provisioned'))
);
CREATE INDEX resources_project_order ON tenancy.resources (project_id, id);

GRANT SELECT, INSERT ON tenancy.domains, tenancy.projects,
  tenancy.project_mesh_ip_reservations, tenancy.resources TO plexsphere_tenancy;

-- Where a Resource lives, read and kept from being deleted until the caller's transaction ends.
CREATE FUNCTION tenancy.port_pin_resource(p_resource_id uuid)
RETURNS TABLE (domain_id uuid, project_id uuid, resource_id uuid, kind text, handle text,
               mesh_cidr text, sub_range text)
LANGUAGE sql SECURITY DEFINER
SET search_path = tenancy, pg_temp
AS $$
  SELECT r.domain_id, r.project_id, r.id, r.kind, coalesce(r.external_ref, r.id::text),
         d.mesh_cidr::text, s.sub_range::text
  FROM tenancy.resources r
  JOIN tenancy.domains d ON d.id = r.domain_id
  LEFT JOIN tenancy.project_mesh_ip_reservations s ON s.project_id = r.project_id
  WHERE r.id = p_resource_id
  FOR KEY SHARE OF r
$$;

REVOKE ALL ON FUNCTION tenancy.port_pin_resource(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenancy.port_pin_resource(uuid) TO port_tenancy;
