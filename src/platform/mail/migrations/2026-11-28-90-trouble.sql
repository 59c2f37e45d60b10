-- What is in the way of mail at present: one row for all processes, none when the last message was taken. Who runs the
-- desk is told of it by this row, so a restart or a further process makes no news of what is known.
CREATE TABLE mail.trouble (
  id smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  since timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  reason text NOT NULL CHECK (reason ~ '^[a-z][a-z0-9_]{0,39}$')
);
COMMENT ON COLUMN mail.trouble.id IS 'D16 always 1';
COMMENT ON COLUMN mail.trouble.since IS 'D16 when the mail server first took nothing';
COMMENT ON COLUMN mail.trouble.last_at IS 'D16 when it last took nothing';
COMMENT ON COLUMN mail.trouble.reason IS 'D16 why, one word of a closed list';
ALTER TABLE mail.trouble ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY office ON mail.trouble TO fairlead_mail USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON mail.trouble TO fairlead_mail;
