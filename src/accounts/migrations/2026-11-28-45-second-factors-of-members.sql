-- How many people accepted a version is a number alone, as all look-ups of counts are.
SET LOCAL ROLE fairlead_lookup;
DROP FUNCTION lookup.acceptances_of_version(text, text);
CREATE FUNCTION lookup.acceptances_of_version(wanted_kind text, wanted_version text) RETURNS bigint
  LANGUAGE sql STABLE SECURITY DEFINER
  BEGIN ATOMIC SELECT count(*) FROM public.acceptances a WHERE a.kind = wanted_kind AND a.version = wanted_version; END;
RESET ROLE;

-- Who manages members sees which of them have a second factor: whether, and nothing of it.
GRANT SELECT (person_id, confirmed_at) ON authenticators TO fairlead_lookup;
CREATE POLICY lookup ON authenticators FOR SELECT TO fairlead_lookup USING (true);
SET LOCAL ROLE fairlead_lookup;
CREATE FUNCTION lookup.people_with_second_factor(wanted bigint[]) RETURNS TABLE (person_id bigint)
  LANGUAGE sql STABLE SECURITY DEFINER
  BEGIN ATOMIC
    SELECT a.person_id FROM public.authenticators a WHERE a.person_id = ANY (wanted) AND a.confirmed_at IS NOT NULL
    UNION
    SELECT p.person_id FROM public.passkeys p WHERE p.person_id = ANY (wanted);
  END;
RESET ROLE;
