-- Whoever hands a site from one organisation to another: a role that owns one function and may change one column, since
-- under row security a transaction of either organisation sees the site before it or after it, and never both.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fairlead_mover') THEN
    CREATE ROLE fairlead_mover NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
  END IF;
END $$;
GRANT USAGE ON SCHEMA public TO fairlead_mover;
GRANT fairlead_mover TO CURRENT_USER WITH INHERIT FALSE, SET TRUE;
CREATE SCHEMA moving AUTHORIZATION fairlead_mover;
SET LOCAL ROLE fairlead_mover;
GRANT USAGE ON SCHEMA moving TO fairlead_app;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA moving GRANT EXECUTE ON FUNCTIONS TO fairlead_app;
RESET ROLE;
