-- The keys of a whole organisation can be destroyed: everything sealed for it is then unreadable, in copies too. That it
-- was done stays, so that no key is ever made for it again and what does not open says why.
CREATE TABLE vault.destroyed_owners (
  organisation_id bigint PRIMARY KEY,
  destroyed_at timestamptz NOT NULL
);
COMMENT ON COLUMN vault.destroyed_owners.organisation_id IS 'D8 whose keys were destroyed';
COMMENT ON COLUMN vault.destroyed_owners.destroyed_at IS 'D22 when';
ALTER TABLE vault.destroyed_owners ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON vault.destroyed_owners TO fairlead_vault USING (organisation_id = current_organisation());
GRANT SELECT, INSERT ON vault.destroyed_owners TO fairlead_vault;

-- Only the keys of somebody who stands there as destroyed can be deleted, so no fault of ours takes another's along.
CREATE POLICY only_destroyed ON vault.owner_keys AS RESTRICTIVE FOR DELETE TO fairlead_vault
  USING (EXISTS (SELECT FROM vault.destroyed_owners d WHERE d.organisation_id = owner_keys.organisation_id));
GRANT DELETE ON vault.owner_keys TO fairlead_vault;
-- And none can be made for them.
CREATE POLICY not_destroyed ON vault.owner_keys AS RESTRICTIVE FOR INSERT TO fairlead_vault
  WITH CHECK (NOT EXISTS (SELECT FROM vault.destroyed_owners d WHERE d.organisation_id = owner_keys.organisation_id));
ALTER TABLE vault.owner_keys SET (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0);
