-- Tables that nobody may take rows out of one by one, and that a closed organisation leaves nothing in.
DO $$
DECLARE
  table_name text;
BEGIN
  FOREACH table_name IN ARRAY ARRAY[
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
GRANT SELECT (emptied_at) ON organisations TO fairlead_purge;

SET LOCAL ROLE fairlead_purge;
CREATE OR REPLACE FUNCTION retention.delete_ended_organisation(organisation bigint) RETURNS bigint
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
-- A consent that nobody took back ends with the organisation it was given to (class D23: the relation, and three years).
CREATE OR REPLACE FUNCTION retention.ended_consents(organisation bigint, moment timestamptz)
  RETURNS TABLE (rows bigint, oldest timestamptz)
  LANGUAGE sql STABLE SECURITY DEFINER
  BEGIN ATOMIC
    SELECT coalesce(sum(e.rows), 0)::bigint, min(e.ended) FROM (
      SELECT count(*) AS rows, max(c.recorded_at) AS ended
      FROM public.consent_records c WHERE c.organisation_id IS NOT DISTINCT FROM organisation
      GROUP BY c.subject_digest, c.purpose
      HAVING max(c.recorded_at) < moment AND ((array_agg(c.state ORDER BY c.id DESC))[1] <> 'given'
        OR EXISTS (SELECT FROM public.organisations o WHERE o.id = organisation AND o.emptied_at < moment))
    ) e;
  END;
CREATE OR REPLACE FUNCTION retention.delete_ended_consents(organisation bigint, moment timestamptz)
  RETURNS TABLE (rows bigint, digest bytea)
  LANGUAGE sql VOLATILE SECURITY DEFINER
  BEGIN ATOMIC
    WITH ended AS (
      SELECT c.subject_digest, c.purpose
      FROM public.consent_records c WHERE c.organisation_id IS NOT DISTINCT FROM organisation
      GROUP BY c.subject_digest, c.purpose
      HAVING max(c.recorded_at) < moment AND ((array_agg(c.state ORDER BY c.id DESC))[1] <> 'given'
        OR EXISTS (SELECT FROM public.organisations o WHERE o.id = organisation AND o.emptied_at < moment))
    ), gone AS (
      DELETE FROM public.consent_records c USING ended e
      WHERE c.organisation_id IS NOT DISTINCT FROM organisation AND c.subject_digest = e.subject_digest AND c.purpose = e.purpose
      RETURNING c.id
    )
    SELECT count(*), sha256(convert_to(coalesce(string_agg(g.id::text, ',' ORDER BY g.id), ''), 'UTF8')) FROM gone g;
  END;
RESET ROLE;
