-- What a closed organisation had goes: the app deletes what it may delete anyway, and this function what nobody may take
-- out one by one. It does so for a closed organisation alone, without a site, and while no legal hold is in force.
ALTER TABLE organisations NO FORCE ROW LEVEL SECURITY;
ALTER TABLE organisations ADD COLUMN emptied_at timestamptz;
ALTER TABLE organisations FORCE ROW LEVEL SECURITY;
COMMENT ON COLUMN organisations.emptied_at IS 'D7 when everything that a closed organisation had was removed and its keys destroyed';
GRANT UPDATE (emptied_at) ON organisations TO fairlead_app;

GRANT SELECT (id, status) ON organisations TO fairlead_purge;
GRANT SELECT (organisation_id) ON sites TO fairlead_purge;
CREATE POLICY purge ON organisations FOR SELECT TO fairlead_purge USING (true);
CREATE POLICY purge ON sites FOR SELECT TO fairlead_purge USING (true);
GRANT SELECT (organisation_id, released_at), DELETE ON legal_holds TO fairlead_purge;
GRANT SELECT (organisation_id), UPDATE (domain) ON site_removals TO fairlead_purge;
GRANT SELECT (site_id) ON site_removals TO fairlead_purge;
CREATE POLICY purge ON legal_holds TO fairlead_purge USING (true);
CREATE POLICY purge ON site_removals TO fairlead_purge USING (true);
DO $$
DECLARE
  table_name text;
BEGIN
  FOREACH table_name IN ARRAY ARRAY[
    'api_keys', 'retention_policies', 'incident_drafts', 'incident_entries', 'incidents',
    'lawful_bases', 'document_receipts', 'document_versions', 'document_reviews', 'organisation_identities', 'agreement_acceptances',
    'erasure_runs', 'subject_requests', 'secret_openings'
  ] LOOP
    EXECUTE format('GRANT SELECT (organisation_id), DELETE ON %I TO fairlead_purge', table_name);
    EXECUTE format('CREATE POLICY purge ON %I TO fairlead_purge USING (true)', table_name);
  END LOOP;
END $$;
-- These hold back the app, which removes what has aged, and not the end of an organisation.
ALTER POLICY only_closed ON subject_requests TO fairlead_app;
ALTER POLICY only_repeated ON erasure_runs TO fairlead_app;

SET LOCAL ROLE fairlead_purge;
CREATE FUNCTION retention.delete_ended_organisation(organisation bigint) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
  table_name text;
  gone bigint;
  rows bigint := 0;
BEGIN
  PERFORM FROM public.organisations o WHERE o.id = organisation AND o.status = 'closed';
  IF NOT FOUND THEN
    RAISE EXCEPTION 'This organisation is not closed: nothing was removed.' USING ERRCODE = '42501';
  END IF;
  PERFORM FROM public.sites s WHERE s.organisation_id = organisation;
  IF FOUND THEN
    RAISE EXCEPTION 'This organisation still has sites: nothing was removed.' USING ERRCODE = '42501';
  END IF;
  PERFORM FROM public.legal_holds h WHERE h.organisation_id = organisation AND h.released_at IS NULL;
  IF FOUND THEN
    RAISE EXCEPTION 'A legal hold is in force in this organisation: nothing was removed.' USING ERRCODE = '42501';
  END IF;
  FOREACH table_name IN ARRAY ARRAY[
    'api_keys', 'retention_policies', 'legal_holds', 'incident_drafts', 'incident_entries', 'incidents',
    'lawful_bases', 'document_receipts', 'document_versions', 'document_reviews', 'organisation_identities', 'agreement_acceptances',
    'erasure_runs', 'subject_requests', 'secret_openings'
  ] LOOP
    EXECUTE format('DELETE FROM public.%I WHERE organisation_id = $1', table_name) USING organisation;
    GET DIAGNOSTICS gone = ROW_COUNT;
    rows := rows + gone;
  END LOOP;
  -- The proof that a site was removed stays, without its name.
  UPDATE public.site_removals r SET domain = 'site-' || r.site_id WHERE r.organisation_id = organisation;
  RETURN rows;
END $$;
RESET ROLE;
