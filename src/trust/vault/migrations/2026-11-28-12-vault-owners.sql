-- Rotation visits every owner of keys, also one whose organisation was never committed, each through its own door.
GRANT USAGE ON SCHEMA vault TO fairlead_lookup;
GRANT SELECT (organisation_id, root_id) ON vault.owner_keys TO fairlead_lookup;
CREATE POLICY lookup ON vault.owner_keys FOR SELECT TO fairlead_lookup USING (true);
-- A root that wraps nothing any more is taken out by name; one that is still referred to cannot be.
GRANT DELETE ON vault.roots TO fairlead_vault;

SET LOCAL ROLE fairlead_lookup;
CREATE FUNCTION lookup.owners_of_root(wanted text) RETURNS TABLE (organisation_id bigint)
  LANGUAGE sql STABLE SECURITY DEFINER
  BEGIN ATOMIC SELECT DISTINCT k.organisation_id FROM vault.owner_keys k WHERE k.root_id = wanted; END;
RESET ROLE;
