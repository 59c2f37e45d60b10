-- The outbox, which is the list of sent mail as well: when a message has gone, its words go and its row stays.
--
-- Whoever acts writes a message in the transaction of the act, whatever that transaction sees: for one organisation, one
-- person or nobody. So the app may insert for anybody and read for one person alone; only fairlead_mail reads all rows.
CREATE SCHEMA mail;
GRANT USAGE ON SCHEMA mail TO fairlead_app, fairlead_mail, fairlead_purge;

CREATE TABLE mail.messages (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE CHECK (name ~ '^[0-9a-f]{32}$'),
  organisation_id bigint,
  person_id bigint,
  template text NOT NULL CHECK (template ~ '^[a-z][a-z0-9_]{0,59}$'),
  kind text NOT NULL CHECK (kind IN ('service', 'alert', 'report')),
  is_required boolean NOT NULL,
  address_digest bytea NOT NULL CHECK (length(address_digest) = 32),
  address bytea NOT NULL CHECK (length(address) <= 2000),
  content bytea,
  state text NOT NULL DEFAULT 'waiting'
    CHECK (state IN ('waiting', 'sent', 'failed', 'suppressed', 'unwanted', 'not_sent_mail_off', 'inbox')),
  reason text CHECK (reason ~ '^[a-z][a-z0-9_]{0,39}$'),
  answer_code smallint CHECK (answer_code BETWEEN 100 AND 999),
  tries smallint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  not_before timestamptz NOT NULL,
  claim text,
  claimed_until timestamptz,
  finished_at timestamptz,
  CHECK (state IN ('waiting', 'not_sent_mail_off') OR content IS NULL)
);
CREATE INDEX messages_waiting ON mail.messages (not_before, id) WHERE state = 'waiting';
CREATE INDEX messages_kept ON mail.messages (created_at) WHERE content IS NOT NULL;
CREATE INDEX messages_of_person ON mail.messages (person_id, id DESC) WHERE person_id IS NOT NULL;
CREATE INDEX messages_created ON mail.messages (created_at);
COMMENT ON COLUMN mail.messages.id IS 'D16 number of the message';
COMMENT ON COLUMN mail.messages.name IS 'D16 random name: its Message-ID, the same at each try';
COMMENT ON COLUMN mail.messages.organisation_id IS 'D16 on whose behalf; null for the desk itself';
COMMENT ON COLUMN mail.messages.person_id IS 'D16 whom it is to, when they have an account';
COMMENT ON COLUMN mail.messages.template IS 'D16 which kind of message, by its name in the code';
COMMENT ON COLUMN mail.messages.kind IS 'D16 service, alert or report';
COMMENT ON COLUMN mail.messages.is_required IS 'D16 the law requires it: suppression does not stop it';
COMMENT ON COLUMN mail.messages.address_digest IS 'D25 keyed digest of the address, to compare with the suppressed ones';
COMMENT ON COLUMN mail.messages.address IS 'D16 the address, sealed';
COMMENT ON COLUMN mail.messages.content IS 'D8 subject and words, sealed, since they carry one-time links; null as soon as it is decided';
COMMENT ON COLUMN mail.messages.state IS 'D16 waiting, or what became of it';
COMMENT ON COLUMN mail.messages.reason IS 'D16 why, one word of a closed list';
COMMENT ON COLUMN mail.messages.answer_code IS 'D16 the number that the mail server answered with; its words may name people and are not kept';
COMMENT ON COLUMN mail.messages.tries IS 'D16 how often it was tried';
COMMENT ON COLUMN mail.messages.created_at IS 'D16 when it was written';
COMMENT ON COLUMN mail.messages.not_before IS 'D16 when the next try is due';
COMMENT ON COLUMN mail.messages.claim IS 'D16 which try has it in hand';
COMMENT ON COLUMN mail.messages.claimed_until IS 'D16 until when; a process that died lets it go by this';
COMMENT ON COLUMN mail.messages.finished_at IS 'D16 when its state was decided';

-- Whom not to write to. Digests, since the address itself must not be kept in order to be left alone.
CREATE TABLE mail.suppressions (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  address_digest bytea NOT NULL CHECK (length(address_digest) = 32),
  organisation_id bigint,
  kind text CHECK (kind IN ('alert', 'report')),
  reason text NOT NULL CHECK (reason IN ('hard_bounce', 'complaint', 'unsubscribed', 'erasure')),
  created_at timestamptz NOT NULL,
  UNIQUE NULLS NOT DISTINCT (address_digest, organisation_id, kind, reason),
  CHECK ((reason = 'unsubscribed') = (kind IS NOT NULL))
);
COMMENT ON COLUMN mail.suppressions.id IS 'D25 number of the entry';
COMMENT ON COLUMN mail.suppressions.address_digest IS 'D25 keyed digest of the address';
COMMENT ON COLUMN mail.suppressions.organisation_id IS 'D25 whose mail; null for all of the desk, and for what the desk itself sends';
COMMENT ON COLUMN mail.suppressions.kind IS 'D25 only this kind of mail; null for all';
COMMENT ON COLUMN mail.suppressions.reason IS 'D25 hard_bounce, complaint, unsubscribed or erasure';
COMMENT ON COLUMN mail.suppressions.created_at IS 'D25 since when';

-- The server to send through, when the operator names it in the app. One row.
CREATE TABLE mail.server (
  id smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  version bigint NOT NULL DEFAULT 1,
  host text NOT NULL CHECK (length(host) BETWEEN 1 AND 253),
  port integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
  tls text NOT NULL CHECK (tls IN ('starttls', 'implicit')),
  user_name text CHECK (length(user_name) BETWEEN 1 AND 320),
  password bytea,
  from_address text NOT NULL CHECK (length(from_address) BETWEEN 3 AND 320),
  dkim_domain text CHECK (length(dkim_domain) BETWEEN 1 AND 253),
  dkim_selector text CHECK (length(dkim_selector) BETWEEN 1 AND 63),
  dkim_key bytea,
  changed_at timestamptz NOT NULL,
  CHECK (num_nonnulls(dkim_domain, dkim_selector, dkim_key) IN (0, 3))
);
COMMENT ON COLUMN mail.server.id IS 'D9 always 1';
COMMENT ON COLUMN mail.server.version IS 'D9 rises with each change, so that every process notices';
COMMENT ON COLUMN mail.server.host IS 'D9 name of the mail server';
COMMENT ON COLUMN mail.server.port IS 'D9 its port';
COMMENT ON COLUMN mail.server.tls IS 'D9 starttls, or implicit from the first byte';
COMMENT ON COLUMN mail.server.user_name IS 'D9 user name at the mail server';
COMMENT ON COLUMN mail.server.password IS 'D9 its password, sealed';
COMMENT ON COLUMN mail.server.from_address IS 'D7 the sender of all mail';
COMMENT ON COLUMN mail.server.dkim_domain IS 'D9 domain that signs';
COMMENT ON COLUMN mail.server.dkim_selector IS 'D9 name of its key in DNS';
COMMENT ON COLUMN mail.server.dkim_key IS 'D9 the private key, sealed';
COMMENT ON COLUMN mail.server.changed_at IS 'D9 when it was last changed';

ALTER TABLE mail.messages ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE mail.suppressions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE mail.server ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY send ON mail.messages FOR INSERT TO fairlead_app WITH CHECK (state = 'waiting' AND tries = 0);
CREATE POLICY own ON mail.messages FOR SELECT TO fairlead_app USING (person_id = current_person());
CREATE POLICY office ON mail.messages TO fairlead_mail USING (true);
CREATE POLICY office ON mail.suppressions TO fairlead_mail USING (true);
CREATE POLICY office ON mail.server TO fairlead_mail USING (true);
CREATE POLICY purge ON mail.messages TO fairlead_purge USING (true);

GRANT INSERT (name, organisation_id, person_id, template, kind, is_required, address_digest, address, content, created_at, not_before)
  ON mail.messages TO fairlead_app;
GRANT SELECT (id, name, person_id, organisation_id, template, kind, address, state, reason, created_at, not_before, finished_at)
  ON mail.messages TO fairlead_app;
GRANT SELECT ON mail.messages TO fairlead_mail;
GRANT UPDATE (state, reason, answer_code, tries, not_before, claim, claimed_until, finished_at, content) ON mail.messages TO fairlead_mail;
GRANT SELECT, INSERT, DELETE ON mail.suppressions TO fairlead_mail;
GRANT SELECT, INSERT, UPDATE, DELETE ON mail.server TO fairlead_mail;
GRANT SELECT (id, created_at, state), DELETE ON mail.messages TO fairlead_purge;

SET LOCAL ROLE fairlead_purge;
-- What became of a message is known for twelve months (D16); one that still waits goes by its last try.
CREATE FUNCTION retention.delete_old_mail(moment timestamptz) RETURNS bigint
  LANGUAGE sql VOLATILE SECURITY DEFINER
  BEGIN ATOMIC
    WITH gone AS (
      DELETE FROM mail.messages m WHERE m.created_at < moment - interval '12 months' AND m.state <> 'waiting' RETURNING m.id
    )
    SELECT count(*) FROM gone;
  END;
RESET ROLE;
