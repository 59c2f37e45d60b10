-- What of the mail server lies in clear is what the desk was told, and no secret: `fairlead doctor` says that every column of
-- class D9 is sealed field by field (CRY-06), so the class says so too.
COMMENT ON COLUMN mail.server.id IS 'D7 always 1';
COMMENT ON COLUMN mail.server.version IS 'D7 rises with each change, so that every process notices';
COMMENT ON COLUMN mail.server.host IS 'D7 name of the mail server';
COMMENT ON COLUMN mail.server.port IS 'D7 its port';
COMMENT ON COLUMN mail.server.tls IS 'D7 starttls, or implicit from the first byte';
COMMENT ON COLUMN mail.server.user_name IS 'D7 user name at the mail server';
COMMENT ON COLUMN mail.server.dkim_domain IS 'D7 domain that signs';
COMMENT ON COLUMN mail.server.dkim_selector IS 'D7 name of its key in DNS';
COMMENT ON COLUMN mail.server.changed_at IS 'D7 when it was last changed';
