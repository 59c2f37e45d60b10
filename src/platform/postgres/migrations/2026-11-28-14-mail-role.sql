-- Who sends the mail: the app steps into this role for one transaction (SET LOCAL ROLE), as it does for the audit, and
-- only so sees messages of more than one person. It owns nothing and creates nothing.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fairlead_mail') THEN
    CREATE ROLE fairlead_mail NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
  END IF;
END $$;
