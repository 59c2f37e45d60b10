-- Whoever sends mail is told of one address whether it is restricted, and reads no list: each table stays bound to its owner.
DROP POLICY office ON restricted_identifiers;
REVOKE SELECT ON restricted_identifiers FROM fairlead_mail;
REVOKE SELECT (organisation_id, mail_digest) ON restricted_identifiers FROM fairlead_mail;
GRANT SELECT (organisation_id, mail_digest) ON restricted_identifiers TO fairlead_lookup;
CREATE POLICY lookup ON restricted_identifiers FOR SELECT TO fairlead_lookup USING (true);
SET LOCAL ROLE fairlead_lookup;
CREATE FUNCTION lookup.is_mail_restricted(organisation bigint, wanted bytea) RETURNS boolean
  LANGUAGE sql STABLE SECURITY DEFINER
  BEGIN ATOMIC
    SELECT EXISTS (
      SELECT FROM public.restricted_identifiers i WHERE i.organisation_id = organisation AND i.mail_digest = wanted
    );
  END;
GRANT USAGE ON SCHEMA lookup TO fairlead_mail;
GRANT EXECUTE ON FUNCTION lookup.is_mail_restricted(bigint, bytea) TO fairlead_mail;
RESET ROLE;
