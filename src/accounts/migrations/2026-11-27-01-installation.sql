-- One row: which root key the digests and seals of this database were made under. A process with another key file
-- would refuse every API key and session of the others, and would not recognise a shielded address, without saying so.
CREATE TABLE installation (
  id smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  key_fingerprint text NOT NULL CHECK (length(key_fingerprint) BETWEEN 1 AND 64),
  created_at timestamptz NOT NULL
);
COMMENT ON COLUMN installation.id IS 'D8 always 1';
COMMENT ON COLUMN installation.key_fingerprint IS 'D8 names the root key and reveals nothing of it';
COMMENT ON COLUMN installation.created_at IS 'D8 when the first process opened this database';
GRANT SELECT, INSERT ON installation TO fairlead_app;
