-- Guesses that failed, and calls that cost something, counted under keyed digests: in a table, so that several processes
-- count together and a restart forgives nobody.
CREATE TABLE throttles (
  digest bytea PRIMARY KEY CHECK (length(digest) = 32),
  count integer NOT NULL CHECK (count >= 0),
  last_at timestamptz NOT NULL,
  forget_at timestamptz NOT NULL
);
CREATE INDEX throttles_by_end ON throttles (forget_at);
COMMENT ON COLUMN throttles.digest IS 'D15 keyed digest of what is counted: an account, a network (/24 or /64), a solved challenge';
COMMENT ON COLUMN throttles.count IS 'D15 how many times';
COMMENT ON COLUMN throttles.last_at IS 'D15 when last';
COMMENT ON COLUMN throttles.forget_at IS 'D15 when the row counts no more and goes, a day at most';

GRANT SELECT, INSERT, UPDATE ON throttles TO fairlead_app;
GRANT SELECT, DELETE ON throttles TO fairlead_purge;

SET LOCAL ROLE fairlead_purge;
-- A flood of networks pushes out rows that were counted once, the oldest first, and never those that slow somebody down.
CREATE FUNCTION retention.delete_old_throttles(moment timestamptz, rows_max bigint) RETURNS bigint
  LANGUAGE sql VOLATILE SECURITY DEFINER
  BEGIN ATOMIC
    WITH gone AS (
      DELETE FROM public.throttles t
      WHERE t.forget_at < moment OR t.digest IN (
        SELECT s.digest FROM public.throttles s WHERE s.forget_at >= moment
        ORDER BY s.count DESC, s.last_at DESC OFFSET rows_max
      )
      RETURNING t.digest
    )
    SELECT count(*) FROM gone;
  END;
RESET ROLE;
