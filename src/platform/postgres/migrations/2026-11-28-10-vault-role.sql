-- Whoever reads or writes keys steps into this role for one transaction, as for audit and retention: it sees the key
-- store and no other table, and no other role sees the key store.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fairlead_vault') THEN
    CREATE ROLE fairlead_vault NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
  END IF;
END $$;
