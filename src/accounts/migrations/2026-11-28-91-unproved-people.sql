-- Accounts from before the state `unverified` say so, too: a member whose address nobody has proved, by a link that was
-- mailed or by a provider. Nobody is shut out by it: an unverified person signs in and works, and only lets nobody else in,
-- where the desk has mail to prove the address by.
-- Active stay the first owner, who had the code of the machine, and who belongs to no organisation: to be unverified
-- there would be to be closed.
ALTER TABLE people NO FORCE ROW LEVEL SECURITY;
ALTER TABLE memberships NO FORCE ROW LEVEL SECURITY;
ALTER TABLE identities NO FORCE ROW LEVEL SECURITY;
WITH unproved AS (
  SELECT p.id FROM people p
  WHERE p.email_verified_at IS NULL AND NOT p.is_operator
    AND EXISTS (SELECT FROM memberships m WHERE m.person_id = p.id)
    AND NOT EXISTS (SELECT FROM identities i WHERE i.person_id = p.id)
)
UPDATE people p SET
  status = CASE WHEN p.status = 'active' THEN 'unverified' ELSE p.status END,
  status_since = CASE WHEN p.status = 'active' THEN now() ELSE p.status_since END,
  status_before = CASE WHEN p.status IN ('closing', 'suspended') THEN 'unverified' ELSE p.status_before END
FROM unproved u WHERE u.id = p.id AND p.status IN ('active', 'closing', 'suspended');
COMMENT ON COLUMN people.status_before IS 'D7 what a closing or suspended account goes back to';
ALTER TABLE identities FORCE ROW LEVEL SECURITY;
ALTER TABLE memberships FORCE ROW LEVEL SECURITY;
ALTER TABLE people FORCE ROW LEVEL SECURITY;

-- Whoever became unverified by this has the same thirty days as somebody who is new.
GRANT SELECT (status_since) ON people TO fairlead_lookup;
SET LOCAL ROLE fairlead_lookup;
CREATE OR REPLACE FUNCTION lookup.people_to_close(moment timestamptz, unverified_before timestamptz) RETURNS TABLE (person_id bigint)
  LANGUAGE sql STABLE SECURITY DEFINER
  BEGIN ATOMIC
    SELECT p.id FROM public.people p
    WHERE (p.status IN ('closing', 'closed') AND p.status_until <= moment)
      OR (p.status = 'unverified' AND greatest(p.created_at, p.status_since) < unverified_before
        AND NOT EXISTS (SELECT FROM public.memberships m WHERE m.person_id = p.id))
    ORDER BY p.id LIMIT 100;
  END;
RESET ROLE;
