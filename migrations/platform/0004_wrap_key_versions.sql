-- A wrap key's life: active (seals and opens) → superseded (opens what still names it) → retired
-- (its context says that nothing names it any more; it would still open). Rows are never removed,
-- so that a restored backup opens.
ALTER TABLE platform.wrap_key
  ADD COLUMN superseded_at timestamptz,
  ADD CONSTRAINT wrap_key_life
    CHECK (retired_at IS NULL OR (superseded_at IS NOT NULL AND retired_at >= superseded_at));
DROP INDEX platform.wrap_key_active;
CREATE UNIQUE INDEX wrap_key_active ON platform.wrap_key (context, scope)
  WHERE superseded_at IS NULL;
GRANT UPDATE (superseded_at, retired_at) ON platform.wrap_key TO plexsphere_platform;
