-- Which keys of the vault values of mail and phone links are sealed under: one for each site, and another one after the site
-- was emptied or went to another organisation. No reference to `sites`: a key whose site is gone is found here and destroyed.
CREATE TABLE contact_keys (
  organisation_id bigint NOT NULL REFERENCES organisations,
  site_id bigint NOT NULL,
  since_ms bigint NOT NULL CHECK (since_ms >= 0),
  made_at timestamptz NOT NULL,
  stale_at timestamptz,
  PRIMARY KEY (organisation_id, site_id, since_ms)
);
COMMENT ON COLUMN contact_keys.organisation_id IS 'D8 whose key';
COMMENT ON COLUMN contact_keys.site_id IS 'D8 the site whose values it seals';
COMMENT ON COLUMN contact_keys.since_ms IS 'D8 the moment from which the site was emptied last when it was made, in milliseconds; 0 for never';
COMMENT ON COLUMN contact_keys.made_at IS 'D22 when it was asked for first';
COMMENT ON COLUMN contact_keys.stale_at IS 'D22 when it was seen that the site has another key; null while it is the site''s own';

ALTER TABLE contact_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON contact_keys USING (organisation_id = current_organisation());
GRANT SELECT, INSERT, DELETE ON contact_keys TO fairlead_app;
GRANT UPDATE (stale_at) ON contact_keys TO fairlead_app;

-- Which organisations hold a key that is not the one of its site; in one statement, so that a site that moves meanwhile is seen
-- with one of its organisations. Which key it is, each organisation sees in its own rows.
GRANT SELECT (organisation_id, site_id, since_ms) ON contact_keys TO fairlead_lookup;
GRANT SELECT (emptied_at) ON sites TO fairlead_lookup;
GRANT SELECT (site_id, state) ON site_removals TO fairlead_lookup;
CREATE POLICY lookup ON contact_keys FOR SELECT TO fairlead_lookup USING (true);
CREATE POLICY lookup ON site_removals FOR SELECT TO fairlead_lookup USING (true);
SET LOCAL ROLE fairlead_lookup;
CREATE FUNCTION lookup.stale_contact_keys() RETURNS TABLE (organisation_id bigint, site_id bigint)
  LANGUAGE sql STABLE SECURITY DEFINER
  BEGIN ATOMIC
    SELECT DISTINCT k.organisation_id, k.site_id FROM public.contact_keys k
    LEFT JOIN public.sites s ON s.id = k.site_id
    WHERE (s.id IS NULL OR s.organisation_id <> k.organisation_id
        OR k.since_ms <> coalesce((extract(epoch FROM s.emptied_at) * 1000)::bigint, 0))
      AND NOT EXISTS (SELECT FROM public.site_removals r WHERE r.site_id = k.site_id AND r.state IN ('waiting', 'running'));
  END;
RESET ROLE;
