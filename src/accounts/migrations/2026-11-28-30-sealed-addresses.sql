-- Addresses of people are found by a keyed digest and kept sealed; no column has one in clear any more.
--
-- Only the code can seal, so what an older version wrote is sealed at the start that follows (src/accounts/people/seal_addresses.ts),
-- by the functions of the schema `upgrade`, which is gone afterwards. Links of mails live an hour and begin anew.
ALTER TABLE people NO FORCE ROW LEVEL SECURITY;
ALTER TABLE invitations NO FORCE ROW LEVEL SECURITY;
ALTER TABLE identities NO FORCE ROW LEVEL SECURITY;
ALTER TABLE one_time_tokens NO FORCE ROW LEVEL SECURITY;

ALTER TABLE people
  ADD COLUMN email_digest bytea UNIQUE CHECK (length(email_digest) = 32),
  ADD COLUMN email_sealed bytea CHECK (length(email_sealed) <= 2000),
  ALTER COLUMN email DROP NOT NULL,
  ALTER COLUMN email_normalised DROP NOT NULL;
COMMENT ON COLUMN people.email_digest IS 'D7 keyed digest of the address as it is compared at sign-in; null once the account is closed';
COMMENT ON COLUMN people.email_sealed IS 'D7 address as the person wrote it, sealed under the person''s key; null once the account is closed';

ALTER TABLE invitations
  ADD COLUMN email_digest bytea CHECK (length(email_digest) = 32),
  ADD COLUMN email_sealed bytea CHECK (length(email_sealed) <= 2000),
  ALTER COLUMN email DROP NOT NULL,
  ALTER COLUMN email_normalised DROP NOT NULL;
COMMENT ON COLUMN invitations.email_digest IS 'D7 keyed digest of the address, as it is compared';
COMMENT ON COLUMN invitations.email_sealed IS 'D7 whom it was sent to, sealed under the organisation''s key';

ALTER TABLE identities
  ADD COLUMN label_sealed bytea CHECK (length(label_sealed) <= 2000),
  ALTER COLUMN label DROP NOT NULL;
COMMENT ON COLUMN identities.label_sealed IS 'D7 verified address that the provider named, sealed under the person''s key';
GRANT UPDATE (label_sealed) ON identities TO fairlead_app;

DELETE FROM one_time_tokens WHERE email IS NOT NULL;
ALTER TABLE one_time_tokens DROP COLUMN email;
ALTER TABLE one_time_tokens
  ADD COLUMN email_sealed bytea CHECK (length(email_sealed) <= 2000),
  ADD CHECK ((kind IN ('verify-email', 'change-email')) = (email_sealed IS NOT NULL));
COMMENT ON COLUMN one_time_tokens.email_sealed IS 'D7 the address that it confirms, sealed under the person''s key';

GRANT SELECT (email_digest) ON people TO fairlead_lookup;
SET LOCAL ROLE fairlead_lookup;
DROP FUNCTION lookup.person_by_email(text);
CREATE FUNCTION lookup.person_by_email(wanted bytea) RETURNS TABLE (person_id bigint)
  LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
  BEGIN ATOMIC SELECT p.id FROM public.people p WHERE p.email_digest = wanted; END;
RESET ROLE;

ALTER TABLE people FORCE ROW LEVEL SECURITY;
ALTER TABLE invitations FORCE ROW LEVEL SECURITY;
ALTER TABLE identities FORCE ROW LEVEL SECURITY;
ALTER TABLE one_time_tokens FORCE ROW LEVEL SECURITY;

-- Until everything is sealed the owner of the tables sees their rows, through these functions alone.
CREATE SCHEMA upgrade;
GRANT USAGE ON SCHEMA upgrade TO fairlead_app;
CREATE POLICY upgrade ON people TO CURRENT_USER USING (true);
CREATE POLICY upgrade ON invitations TO CURRENT_USER USING (true);
CREATE POLICY upgrade ON identities TO CURRENT_USER USING (true);

CREATE FUNCTION upgrade.addresses_in_clear(most integer)
  RETURNS TABLE (held_in text, row_id bigint, organisation_id bigint, person_id bigint, row_digest bytea, address text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT * FROM (
      SELECT 'people', p.id, NULL::bigint, p.id, NULL::bytea, p.email FROM public.people p WHERE p.email IS NOT NULL
      UNION ALL
      SELECT 'invitations', i.id, i.organisation_id, NULL, NULL, i.email FROM public.invitations i WHERE i.email IS NOT NULL
      UNION ALL
      SELECT 'identities', d.id, NULL, d.person_id, d.digest, d.label FROM public.identities d WHERE d.label IS NOT NULL
    ) every LIMIT most
  $$;
-- One that was sealed meanwhile by another process is left as it is.
CREATE FUNCTION upgrade.seal_address(held_in text, row_id bigint, wanted_digest bytea, wanted_sealed bytea) RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  BEGIN
    CASE held_in
      WHEN 'people' THEN
        UPDATE public.people p SET email_digest = wanted_digest, email_sealed = wanted_sealed, email = NULL, email_normalised = NULL
        WHERE p.id = row_id AND p.email IS NOT NULL;
      WHEN 'invitations' THEN
        UPDATE public.invitations i SET email_digest = wanted_digest, email_sealed = wanted_sealed, email = NULL, email_normalised = NULL
        WHERE i.id = row_id AND i.email IS NOT NULL;
      WHEN 'identities' THEN
        UPDATE public.identities d SET label_sealed = wanted_sealed, label = NULL WHERE d.id = row_id AND d.label IS NOT NULL;
    END CASE;
  END $$;
-- Fails while one is left in clear: the new columns must not be null then.
CREATE FUNCTION upgrade.drop_addresses_in_clear() RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  BEGIN
    ALTER TABLE public.people DROP COLUMN email, DROP COLUMN email_normalised,
      ADD CONSTRAINT people_address CHECK (status = 'closed' OR num_nulls(email_digest, email_sealed) = 0);
    ALTER TABLE public.invitations DROP COLUMN email, DROP COLUMN email_normalised,
      ALTER COLUMN email_digest SET NOT NULL, ALTER COLUMN email_sealed SET NOT NULL;
    ALTER TABLE public.identities DROP COLUMN label, ALTER COLUMN label_sealed SET NOT NULL;
    DROP POLICY upgrade ON public.people;
    DROP POLICY upgrade ON public.invitations;
    DROP POLICY upgrade ON public.identities;
    DROP SCHEMA upgrade CASCADE;
  END $$;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA upgrade FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA upgrade TO fairlead_app;

-- A new desk has nothing to seal.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM upgrade.addresses_in_clear(1)) THEN
    PERFORM upgrade.drop_addresses_in_clear();
  END IF;
END $$;
