-- Imports whose file comes over HTTP in parts: how much of it is there, what its dry run said, how far it is. The file
-- lies in the data directory of the process that took it, sealed, under the number of its row.
ALTER TABLE imports DROP CONSTRAINT imports_state_check;
ALTER TABLE imports ADD CONSTRAINT imports_state_check
  CHECK (state IN ('uploading', 'checking', 'ready', 'running', 'done', 'failed', 'undoing', 'undone'));
ALTER TABLE imports ADD COLUMN size bigint CHECK (size > 0);
ALTER TABLE imports ADD COLUMN received bigint NOT NULL DEFAULT 0 CHECK (received >= 0);
ALTER TABLE imports ADD COLUMN progress real;
ALTER TABLE imports ADD COLUMN tries int NOT NULL DEFAULT 0;
ALTER TABLE imports ADD COLUMN report jsonb;
ALTER TABLE imports ADD COLUMN failure text;
ALTER TABLE imports ADD COLUMN expires_at timestamptz;
COMMENT ON COLUMN imports.state IS 'D7 uploading, checking, ready, running, done, failed, undoing or undone';
COMMENT ON COLUMN imports.size IS 'D7 how large its file is; null when the command line read it';
COMMENT ON COLUMN imports.received IS 'D7 how many bytes of the file are here, from its beginning';
COMMENT ON COLUMN imports.progress IS 'D7 how much of the present step is done, 0 to 1; null while it waits';
COMMENT ON COLUMN imports.tries IS 'D7 how often it was begun: more than once when the desk ended in its middle';
COMMENT ON COLUMN imports.report IS 'D22 what would come of the file, later what came: sums, days, refused rows by reason';
COMMENT ON COLUMN imports.failure IS 'D7 why it failed, in a sentence';
COMMENT ON COLUMN imports.expires_at IS 'D7 when its file is deleted if nobody goes on; null when it has none';

-- A line of an import that has stored nothing goes with its file.
GRANT DELETE ON imports TO fairlead_app;
