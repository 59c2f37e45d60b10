-- Both rules bind to the organisation in force as well, as every policy of a table with owners does: the daily look at the
-- guards asks for it.
ALTER POLICY only_destroyed ON vault.owner_keys
  USING (organisation_id = current_organisation()
    AND EXISTS (SELECT FROM vault.destroyed_owners d WHERE d.organisation_id = owner_keys.organisation_id));
ALTER POLICY not_destroyed ON vault.owner_keys
  WITH CHECK (organisation_id IS NOT DISTINCT FROM current_organisation()
    AND NOT EXISTS (SELECT FROM vault.destroyed_owners d WHERE d.organisation_id = owner_keys.organisation_id));
