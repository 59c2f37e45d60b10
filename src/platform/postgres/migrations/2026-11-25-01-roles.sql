-- Who may do what, before there is anything to do it to.
--
-- The owner runs migrations and nothing else. Nobody logs in as one of the roles below: the app's login is made a
-- member of fairlead_app, and may step into fairlead_audit or fairlead_retention for one transaction (SET LOCAL ROLE).
-- No role that it can reach is superuser, bypasses row security, owns a table or can change a row of the audit.
--
-- Two traps, written down once:
-- * FORCE ROW LEVEL SECURITY binds the owner too, so a migration that changes rows would silently change none.
--   Such a migration says ALTER TABLE … NO FORCE ROW LEVEL SECURITY first and FORCE last, in its own transaction.
-- * SECURITY DEFINER functions of the owner would see zero rows for the same reason. Look-ups across organisations
--   therefore belong to fairlead_lookup, which may read the columns it needs by a policy of its own, and no others.

DO $$
DECLARE
  role_name text;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['fairlead_app', 'fairlead_audit', 'fairlead_retention', 'fairlead_lookup', 'fairlead_purge'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS', role_name);
    END IF;
  END LOOP;
END $$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO fairlead_app, fairlead_audit, fairlead_retention, fairlead_lookup, fairlead_purge;

-- A function is callable by those it is granted to, not by everyone (PostgreSQL's default).
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- Audit tables live here: whatever is created, fairlead_audit may insert, and nobody may read, change or delete
-- unless a later migration says so by name.
CREATE SCHEMA audit;
GRANT USAGE ON SCHEMA audit TO fairlead_audit;
ALTER DEFAULT PRIVILEGES IN SCHEMA audit GRANT INSERT ON TABLES TO fairlead_audit;

-- Deletions happen through the functions of this schema: fairlead_retention may call them, fairlead_purge owns them.
-- Look-ups across organisations are the functions of the other: fairlead_app may call them, fairlead_lookup owns them.
GRANT fairlead_lookup, fairlead_purge TO CURRENT_USER WITH INHERIT FALSE, SET TRUE;
CREATE SCHEMA retention AUTHORIZATION fairlead_purge;
CREATE SCHEMA lookup AUTHORIZATION fairlead_lookup;

SET LOCAL ROLE fairlead_purge;
GRANT USAGE ON SCHEMA retention TO fairlead_retention;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA retention GRANT EXECUTE ON FUNCTIONS TO fairlead_retention;
SET LOCAL ROLE fairlead_lookup;
GRANT USAGE ON SCHEMA lookup TO fairlead_app;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA lookup GRANT EXECUTE ON FUNCTIONS TO fairlead_app;
RESET ROLE;

-- Whose rows the transaction may see. A setting that was once set comes back as '' when its transaction ends,
-- and ''::bigint would be an error instead of "nobody": hence nullif.
CREATE FUNCTION current_organisation() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
  RETURN nullif(current_setting('fairlead.organisation', true), '')::bigint;
CREATE FUNCTION current_person() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
  RETURN nullif(current_setting('fairlead.person', true), '')::bigint;
GRANT EXECUTE ON FUNCTION current_organisation(), current_person() TO PUBLIC;
