-- A passkey is a second factor too.
CREATE OR REPLACE FUNCTION has_second_factor(person bigint) RETURNS boolean LANGUAGE sql STABLE
  RETURN EXISTS (SELECT FROM authenticators a WHERE a.person_id = person AND a.confirmed_at IS NOT NULL)
    OR EXISTS (SELECT FROM passkeys p WHERE p.person_id = person);
