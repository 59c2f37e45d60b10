-- The key store: keys of organisations and of data subjects, each wrapped by the key above it. It is a schema of its own,
-- so that a dump of everything else can leave it out (--exclude-schema=vault) and it can have a backup cycle of its own:
-- a row that is deleted here is gone for every older copy of the data too.
--
-- Nobody but fairlead_vault may look in. `organisation_id` is null for the desk itself, and such rows are seen only while
-- no organisation is set. No reference to organisations: a key is made while the row of a new organisation is not
-- committed yet.
CREATE SCHEMA vault;
GRANT USAGE ON SCHEMA vault TO fairlead_vault;

-- Which root keys were used, and which of them wraps new keys. The roots themselves are in the key file.
CREATE TABLE vault.roots (
  id text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{16}$'),
  is_current boolean NOT NULL,
  messages bigint NOT NULL DEFAULT 0 CHECK (messages BETWEEN 0 AND 4294967296),
  first_used_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX roots_current ON vault.roots (is_current) WHERE is_current;
COMMENT ON COLUMN vault.roots.id IS 'D8 fingerprint of a root key; reveals nothing of it';
COMMENT ON COLUMN vault.roots.is_current IS 'D8 wraps what is wrapped from now on';
COMMENT ON COLUMN vault.roots.messages IS 'D22 how many keys it wrapped (CRY-11)';
COMMENT ON COLUMN vault.roots.first_used_at IS 'D22 when it became current first';

CREATE TABLE vault.owner_keys (
  id bytea PRIMARY KEY CHECK (length(id) = 8),
  organisation_id bigint,
  root_id text NOT NULL REFERENCES vault.roots,
  wrapped bytea NOT NULL CHECK (length(wrapped) = 60),
  is_current boolean NOT NULL,
  messages bigint NOT NULL CHECK (messages BETWEEN 0 AND 4294967296),
  created_at timestamptz NOT NULL,
  replaced_at timestamptz
);
CREATE UNIQUE INDEX owner_keys_current ON vault.owner_keys (organisation_id) NULLS NOT DISTINCT WHERE is_current;
CREATE INDEX owner_keys_owner ON vault.owner_keys (organisation_id);
CREATE INDEX owner_keys_root ON vault.owner_keys (root_id);
COMMENT ON COLUMN vault.owner_keys.id IS 'D8 eight random bytes that each of its ciphertexts begins with';
COMMENT ON COLUMN vault.owner_keys.organisation_id IS 'D8 whose key; null for the desk itself';
COMMENT ON COLUMN vault.owner_keys.root_id IS 'D8 the root that wrapped it';
COMMENT ON COLUMN vault.owner_keys.wrapped IS 'D8 the key, sealed under the root: nonce, 32 bytes, tag';
COMMENT ON COLUMN vault.owner_keys.is_current IS 'D8 seals what is sealed from now on; the others only open';
COMMENT ON COLUMN vault.owner_keys.messages IS 'D22 how many messages were reserved for it, never more than 2^32 (CRY-11)';
COMMENT ON COLUMN vault.owner_keys.created_at IS 'D22 when it was made';
COMMENT ON COLUMN vault.owner_keys.replaced_at IS 'D22 when the next one took over';

CREATE TABLE vault.subject_keys (
  id bytea PRIMARY KEY CHECK (length(id) = 8),
  organisation_id bigint,
  subject bytea NOT NULL CHECK (length(subject) = 32),
  wrapped_by bytea NOT NULL REFERENCES vault.owner_keys,
  wrapped bytea NOT NULL CHECK (length(wrapped) = 60),
  is_current boolean NOT NULL,
  messages bigint NOT NULL CHECK (messages BETWEEN 0 AND 4294967296),
  created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX subject_keys_current ON vault.subject_keys (organisation_id, subject) NULLS NOT DISTINCT
  WHERE is_current;
CREATE INDEX subject_keys_subject ON vault.subject_keys (organisation_id, subject);
CREATE INDEX subject_keys_wrapped_by ON vault.subject_keys (wrapped_by);
-- A destroyed key is cleared away within minutes, however few there are.
ALTER TABLE vault.subject_keys SET (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0);
COMMENT ON COLUMN vault.subject_keys.id IS 'D8 eight random bytes that each of its ciphertexts begins with';
COMMENT ON COLUMN vault.subject_keys.organisation_id IS 'D8 whose subject; null for the desk itself';
COMMENT ON COLUMN vault.subject_keys.subject IS 'D25 keyed digest of whom it is about';
COMMENT ON COLUMN vault.subject_keys.wrapped_by IS 'D8 the key of the organisation that wrapped it';
COMMENT ON COLUMN vault.subject_keys.wrapped IS 'D8 the key, sealed: nonce, 32 bytes, tag';
COMMENT ON COLUMN vault.subject_keys.is_current IS 'D8 seals what is sealed from now on; the others only open';
COMMENT ON COLUMN vault.subject_keys.messages IS 'D22 how many messages were reserved for it, never more than 2^32 (CRY-11)';
COMMENT ON COLUMN vault.subject_keys.created_at IS 'D22 when it was made';

ALTER TABLE vault.owner_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE vault.subject_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON vault.owner_keys TO fairlead_vault
  USING (organisation_id IS NOT DISTINCT FROM current_organisation());
CREATE POLICY owner ON vault.subject_keys TO fairlead_vault
  USING (organisation_id IS NOT DISTINCT FROM current_organisation());

-- A key changes by what wraps it and what it was used for, never in whose it is. Only keys of subjects are destroyed.
GRANT SELECT, INSERT ON vault.roots, vault.owner_keys, vault.subject_keys TO fairlead_vault;
GRANT UPDATE (is_current, messages) ON vault.roots TO fairlead_vault;
GRANT UPDATE (root_id, wrapped, is_current, messages, replaced_at) ON vault.owner_keys TO fairlead_vault;
GRANT UPDATE (wrapped_by, wrapped, is_current, messages) ON vault.subject_keys TO fairlead_vault;
GRANT DELETE ON vault.subject_keys TO fairlead_vault;

-- When a connector's secret was last opened, and what for (CRY-09): the trail gets a line once per purpose, row and hour.
CREATE TABLE secret_openings (
  organisation_id bigint,
  table_name text NOT NULL CHECK (length(table_name) BETWEEN 1 AND 63),
  column_name text NOT NULL CHECK (length(column_name) BETWEEN 1 AND 63),
  row_id text NOT NULL CHECK (length(row_id) BETWEEN 1 AND 200),
  purpose text NOT NULL CHECK (purpose ~ '^[a-z][a-z0-9_.-]{0,59}$'),
  opened_hour timestamptz NOT NULL,
  UNIQUE NULLS NOT DISTINCT (organisation_id, table_name, column_name, row_id, purpose)
);
COMMENT ON COLUMN secret_openings.organisation_id IS 'D16 whose secret; null for the desk itself';
COMMENT ON COLUMN secret_openings.table_name IS 'D16 the table it is kept in';
COMMENT ON COLUMN secret_openings.column_name IS 'D16 the column';
COMMENT ON COLUMN secret_openings.row_id IS 'D16 the row';
COMMENT ON COLUMN secret_openings.purpose IS 'D16 what it was opened for, in the words of the connector';
COMMENT ON COLUMN secret_openings.opened_hour IS 'D16 the last hour in which it was opened for that';
ALTER TABLE secret_openings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON secret_openings USING (organisation_id IS NOT DISTINCT FROM current_organisation());
GRANT SELECT, INSERT ON secret_openings TO fairlead_app;
GRANT UPDATE (opened_hour) ON secret_openings TO fairlead_app;
