-- Whoever copies every row for a backup: a role that reads all tables and changes none. The owner of the schema alone can
-- step into it, which the app's login cannot become. Its grants and policies are given at each start (postgres/copy.ts),
-- since later migrations add tables.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fairlead_backup') THEN
    CREATE ROLE fairlead_backup NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
  END IF;
END $$;
GRANT fairlead_backup TO CURRENT_USER WITH INHERIT FALSE, SET TRUE;
