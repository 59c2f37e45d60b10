-- What a timer of its own removes because its window is over is noted in the statement that removes it: one row for each
-- table, until the next night makes a receipt of it and takes the row away (RET-17).
CREATE TABLE retention_removals (
  organisation_id bigint REFERENCES organisations,
  line text NOT NULL CHECK (length(line) BETWEEN 1 AND 40),
  from_table text NOT NULL CHECK (length(from_table) BETWEEN 1 AND 60),
  rows bigint NOT NULL CHECK (rows > 0),
  oldest timestamptz,
  digest bigint NOT NULL,
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  UNIQUE NULLS NOT DISTINCT (organisation_id, line, from_table)
);
COMMENT ON COLUMN retention_removals.organisation_id IS 'D22 whose rows; null for those of the desk itself';
COMMENT ON COLUMN retention_removals.line IS 'D22 line of the table of windows';
COMMENT ON COLUMN retention_removals.from_table IS 'D22 table or folder that they were in';
COMMENT ON COLUMN retention_removals.rows IS 'D22 how many went since the last night';
COMMENT ON COLUMN retention_removals.oldest IS 'D22 the oldest of them';
COMMENT ON COLUMN retention_removals.digest IS 'D22 digests of their keys, one over the other; no key';
COMMENT ON COLUMN retention_removals.first_at IS 'D22 when the first of them went';
COMMENT ON COLUMN retention_removals.last_at IS 'D22 when the last of them went';
ALTER TABLE retention_removals ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON retention_removals USING (organisation_id IS NOT DISTINCT FROM current_organisation());
CREATE POLICY purge ON retention_removals TO fairlead_purge USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON retention_removals TO fairlead_app;
GRANT SELECT, INSERT, UPDATE ON retention_removals TO fairlead_purge;
GRANT SELECT (device) ON seen_devices TO fairlead_purge;

-- The first 64 bits of SHA-256 of a key; digests of several are laid over each other, so their order is none.
CREATE FUNCTION key_digest(key text) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  BEGIN ATOMIC
    SELECT ('x' || encode(substring(sha256(convert_to(key, 'UTF8')) FROM 1 FOR 8), 'hex'))::bit(64)::bigint;
  END;
GRANT EXECUTE ON FUNCTION key_digest(text) TO fairlead_app, fairlead_purge;

SET LOCAL ROLE fairlead_purge;
-- For the functions of this schema and nobody else: whose it was is null for the desk. Returns how many, for what calls it.
CREATE FUNCTION retention.note_removed(whose bigint, of_line text, of_table text, many bigint, since timestamptz, digests bigint, moment timestamptz)
  RETURNS bigint
  LANGUAGE sql VOLATILE
  BEGIN ATOMIC
    INSERT INTO public.retention_removals AS r (organisation_id, line, from_table, rows, oldest, digest, first_at, last_at)
      SELECT whose, of_line, of_table, many, since, digests, moment, moment WHERE many > 0
      ON CONFLICT (organisation_id, line, from_table) DO UPDATE SET rows = r.rows + excluded.rows,
        oldest = least(r.oldest, excluded.oldest), digest = r.digest # excluded.digest, last_at = excluded.last_at;
    SELECT many;
  END;
REVOKE EXECUTE ON FUNCTION retention.note_removed(bigint, text, text, bigint, timestamptz, bigint, timestamptz) FROM fairlead_retention;

CREATE OR REPLACE FUNCTION retention.delete_ended_sessions(moment timestamptz) RETURNS bigint
  LANGUAGE sql VOLATILE SECURITY DEFINER
  BEGIN ATOMIC
    WITH gone AS (
      DELETE FROM public.sessions s
      WHERE s.expires_at < moment OR s.revoked_at < moment - interval '1 day'
      RETURNING s.id::text AS key, least(s.expires_at, s.revoked_at) AS since
    )
    SELECT retention.note_removed(NULL, 'sessions', 'sessions', count(*), min(g.since), bit_xor(public.key_digest(g.key)), moment) FROM gone g;
  END;

CREATE OR REPLACE FUNCTION retention.delete_expired_tokens(moment timestamptz) RETURNS bigint
  LANGUAGE sql VOLATILE SECURITY DEFINER
  BEGIN ATOMIC
    WITH tokens AS (DELETE FROM public.one_time_tokens t WHERE t.expires_at <= moment RETURNING t.id::text AS key, t.expires_at AS since),
      begun AS (DELETE FROM public.sign_ups s WHERE s.expires_at <= moment RETURNING s.id::text AS key, s.expires_at AS since),
      devices AS (
        DELETE FROM public.seen_devices d WHERE d.last_seen_at < moment - interval '1 year'
        RETURNING d.person_id || ' ' || d.device AS key, d.last_seen_at AS since
      )
    SELECT
      (SELECT retention.note_removed(NULL, 'links', 'one_time_tokens', count(*), min(g.since), bit_xor(public.key_digest(g.key)), moment) FROM tokens g)
      + (SELECT retention.note_removed(NULL, 'links', 'sign_ups', count(*), min(g.since), bit_xor(public.key_digest(g.key)), moment) FROM begun g)
      + (SELECT retention.note_removed(NULL, 'devices', 'seen_devices', count(*), min(g.since), bit_xor(public.key_digest(g.key)), moment) FROM devices g);
  END;

CREATE OR REPLACE FUNCTION retention.delete_old_sign_up_invitations(moment timestamptz) RETURNS bigint
  LANGUAGE sql VOLATILE SECURITY DEFINER
  BEGIN ATOMIC
    WITH gone AS (
      DELETE FROM public.sign_up_invitations i WHERE i.expires_at <= moment - interval '30 days' RETURNING i.id::text AS key, i.expires_at AS since
    )
    SELECT retention.note_removed(NULL, 'sign-up-invitations', 'sign_up_invitations', count(*), min(g.since), bit_xor(public.key_digest(g.key)), moment)
    FROM gone g;
  END;

CREATE OR REPLACE FUNCTION retention.delete_old_self_audits(moment timestamptz) RETURNS bigint
  LANGUAGE sql VOLATILE SECURITY DEFINER
  BEGIN ATOMIC
    WITH gone AS (
      DELETE FROM public.self_audits s WHERE s.made_at < moment - interval '12 months' RETURNING s.id::text AS key, s.made_at AS since
    )
    SELECT retention.note_removed(NULL, 'self-audits', 'self_audits', count(*), min(g.since), bit_xor(public.key_digest(g.key)), moment) FROM gone g;
  END;

CREATE OR REPLACE FUNCTION retention.delete_old_throttles(moment timestamptz, rows_max bigint) RETURNS bigint
  LANGUAGE sql VOLATILE SECURITY DEFINER
  BEGIN ATOMIC
    WITH gone AS (
      DELETE FROM public.throttles t
      WHERE t.forget_at < moment OR t.digest IN (
        SELECT s.digest FROM public.throttles s WHERE s.forget_at >= moment
        ORDER BY s.count DESC, s.last_at DESC OFFSET rows_max
      )
      RETURNING encode(t.digest, 'hex') AS key, t.last_at AS since
    )
    SELECT retention.note_removed(NULL, 'throttles', 'throttles', count(*), min(g.since), bit_xor(public.key_digest(g.key)), moment) FROM gone g;
  END;

-- The networks of acts: the rows stay, what they say of a place goes. Of chain 0, the desk's own, the organisation is null.
CREATE OR REPLACE FUNCTION retention.drop_audit_addresses(chain bigint, after bigint, through bigint, moment timestamptz) RETURNS bigint
  LANGUAGE sql VOLATILE SECURITY DEFINER
  BEGIN ATOMIC
    WITH gone AS (
      UPDATE audit.entries e SET address = NULL, address_salt = NULL
      WHERE e.organisation_id = chain AND e.seq > after AND e.seq <= through
        AND e.at < least(moment, now() - interval '90 days') AND e.address IS NOT NULL
      RETURNING e.seq::text AS key, e.at AS since
    )
    SELECT retention.note_removed(nullif(chain, 0), 'audit', 'networks of audit.entries', count(*), min(g.since), bit_xor(public.key_digest(g.key)), moment)
    FROM gone g;
  END;
RESET ROLE;
