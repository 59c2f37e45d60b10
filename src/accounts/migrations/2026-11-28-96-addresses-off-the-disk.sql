-- Addresses that stood in clear before 2026-11-28-30 stay in dead rows, and in the dropped columns of living ones, until their
-- pages are written anew. So the tables are, once: CLUSTER copies what lives into a new file, without dropped columns, and the
-- old file goes when the transaction ends. (VACUUM FULL does the same, and cannot run within a transaction.)
DO $$
BEGIN
  IF to_regnamespace('upgrade') IS NULL THEN
    -- Sealed by an earlier start, or there never was one in clear.
    CLUSTER public.people USING people_pkey;
    CLUSTER public.invitations USING invitations_pkey;
    CLUSTER public.identities USING identities_pkey;
    CLUSTER public.one_time_tokens USING one_time_tokens_pkey;
  ELSE
    -- Not sealed yet: it is done by the start that seals the last one.
    CREATE OR REPLACE FUNCTION upgrade.drop_addresses_in_clear() RETURNS void
      LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $drop$
      BEGIN
        ALTER TABLE public.people DROP COLUMN email, DROP COLUMN email_normalised,
          ADD CONSTRAINT people_address CHECK (status = 'closed' OR num_nulls(email_digest, email_sealed) = 0);
        ALTER TABLE public.invitations DROP COLUMN email, DROP COLUMN email_normalised,
          ALTER COLUMN email_digest SET NOT NULL, ALTER COLUMN email_sealed SET NOT NULL;
        ALTER TABLE public.identities DROP COLUMN label, ALTER COLUMN label_sealed SET NOT NULL;
        DROP POLICY upgrade ON public.people;
        DROP POLICY upgrade ON public.invitations;
        DROP POLICY upgrade ON public.identities;
        CLUSTER public.people USING people_pkey;
        CLUSTER public.invitations USING invitations_pkey;
        CLUSTER public.identities USING identities_pkey;
        CLUSTER public.one_time_tokens USING one_time_tokens_pkey;
        DROP SCHEMA upgrade CASCADE;
      END $drop$;
  END IF;
END $$;
