-- An account closes by a date, and one whose address nobody has proved says so.
--
-- Closed is the end: the row keeps its number, for what colleagues did with it, and nothing of the person. Until its keys
-- are destroyed as well `status_until` stays, so that a closing that was cut short is finished by the next look.
ALTER TABLE people NO FORCE ROW LEVEL SECURITY;
ALTER TABLE people
  ADD COLUMN status_before text CHECK (status_before IN ('unverified', 'active')),
  ADD CONSTRAINT people_closing_says_when CHECK (status <> 'closing' OR status_until IS NOT NULL),
  ADD CONSTRAINT people_closing_says_from CHECK (status <> 'closing' OR status_before IS NOT NULL);
COMMENT ON COLUMN people.status IS 'D7 unverified (nobody has proved the address), active, suspended (cannot sign in), closing (until a date; signing in takes it back) or closed (nothing of the person is left)';
COMMENT ON COLUMN people.status_until IS 'D7 when a closing account is closed; of a closed one, that its keys are still to be destroyed; null otherwise';
COMMENT ON COLUMN people.status_before IS 'D7 what a closing account goes back to';
CREATE INDEX people_status_until ON people (status_until) WHERE status_until IS NOT NULL;
ALTER TABLE people FORCE ROW LEVEL SECURITY;

-- A link that was mailed proves the address of whoever opens it; one that was handed on by somebody does not.
ALTER TABLE invitations NO FORCE ROW LEVEL SECURITY;
ALTER TABLE invitations ADD COLUMN is_mailed boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN invitations.is_mailed IS 'D7 whether its link went to the address, and was not handed on by whoever invited';
ALTER TABLE invitations FORCE ROW LEVEL SECURITY;

-- Notifications are about the person alone, and go with them.
GRANT DELETE ON notifications TO fairlead_app;

-- Whose closing is due, and who never proved an address and belongs to nothing.
GRANT SELECT (status, status_until, created_at) ON people TO fairlead_lookup;
SET LOCAL ROLE fairlead_lookup;
CREATE FUNCTION lookup.people_to_close(moment timestamptz, unverified_before timestamptz) RETURNS TABLE (person_id bigint)
  LANGUAGE sql STABLE SECURITY DEFINER
  BEGIN ATOMIC
    SELECT p.id FROM public.people p
    WHERE (p.status IN ('closing', 'closed') AND p.status_until <= moment)
      OR (p.status = 'unverified' AND p.created_at < unverified_before
        AND NOT EXISTS (SELECT FROM public.memberships m WHERE m.person_id = p.id))
    ORDER BY p.id LIMIT 100;
  END;
RESET ROLE;
