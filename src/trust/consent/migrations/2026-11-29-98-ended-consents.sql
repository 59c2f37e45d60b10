-- A consent that nobody took back ends with the organisation it was given to (class D23: the relation, and three years).
GRANT SELECT (emptied_at) ON organisations TO fairlead_purge;

SET LOCAL ROLE fairlead_purge;
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
