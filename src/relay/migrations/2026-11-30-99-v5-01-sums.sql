-- What the pages of the relay count, counted as it changes: whoever asks adds up some thousand sums, and no million deliveries.

-- Sums of a quarter of an hour, and of whole days of the organisation once they are over. Each row is one thing that is counted
-- together: deliveries by how they stand, identifiers of what goes where, conversions by who told of them.
CREATE TABLE relay_sums (
  organisation_id bigint NOT NULL REFERENCES organisations,
  what text NOT NULL CHECK (what IN ('deliveries', 'cover', 'told')),
  begins_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  about bigint NOT NULL,
  state text NOT NULL DEFAULT '',
  reason text NOT NULL DEFAULT '',
  was_sent boolean NOT NULL DEFAULT false,
  step integer NOT NULL DEFAULT -1,
  present text[] NOT NULL DEFAULT '{}',
  rows bigint NOT NULL,
  doubles bigint NOT NULL DEFAULT 0,
  routed bigint NOT NULL DEFAULT 0,
  is_day boolean NOT NULL DEFAULT false,
  CHECK (ends_at > begins_at),
  PRIMARY KEY (organisation_id, what, begins_at, ends_at, about, state, reason, was_sent, step, present)
);
CREATE INDEX relay_sums_of_what_is_open ON relay_sums (about) WHERE state IN ('held', 'open');
CREATE INDEX relay_sums_of_nothing ON relay_sums (organisation_id) WHERE rows = 0 AND doubles = 0 AND routed = 0;
CREATE INDEX relay_sums_of_quarters ON relay_sums (organisation_id, begins_at) WHERE NOT is_day;
COMMENT ON COLUMN relay_sums.organisation_id IS 'D6 whose conversions';
COMMENT ON COLUMN relay_sums.what IS 'D6 deliveries; cover (deliveries by identifiers that their conversion had); told (conversions by source)';
COMMENT ON COLUMN relay_sums.begins_at IS 'D6 of what was made from then on';
COMMENT ON COLUMN relay_sums.ends_at IS 'D6 and before then';
COMMENT ON COLUMN relay_sums.about IS 'D6 number of the destination; of told: of the source';
COMMENT ON COLUMN relay_sums.state IS 'D6 how the deliveries stand; open = waiting or being sent';
COMMENT ON COLUMN relay_sums.reason IS 'D6 why they were withheld or set aside';
COMMENT ON COLUMN relay_sums.was_sent IS 'D6 were they sent at least once';
COMMENT ON COLUMN relay_sums.step IS 'D6 how long the platform took to accept, in steps of 5 %; -1 = it has not';
COMMENT ON COLUMN relay_sums.present IS 'D6 which identifiers were present, by name';
COMMENT ON COLUMN relay_sums.rows IS 'D6 how many';
COMMENT ON COLUMN relay_sums.doubles IS 'D6 of told: how often they were told again';
COMMENT ON COLUMN relay_sums.routed IS 'D6 of told: how many of them have a delivery';
COMMENT ON COLUMN relay_sums.is_day IS 'D6 a whole day, which is over';

-- What came to the sums and has not been added yet. Only ever added to by whoever changes something, so that nobody waits for
-- somebody else's sum; a timer adds it up.
CREATE TABLE relay_sum_changes (
  organisation_id bigint NOT NULL REFERENCES organisations,
  what text NOT NULL,
  begins_at timestamptz NOT NULL,
  about bigint NOT NULL,
  state text NOT NULL DEFAULT '',
  reason text NOT NULL DEFAULT '',
  was_sent boolean NOT NULL DEFAULT false,
  step integer NOT NULL DEFAULT -1,
  present text[] NOT NULL DEFAULT '{}',
  rows bigint NOT NULL DEFAULT 0,
  doubles bigint NOT NULL DEFAULT 0,
  routed bigint NOT NULL DEFAULT 0
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 100000);
CREATE INDEX relay_sum_changes_of ON relay_sum_changes (organisation_id, begins_at);
COMMENT ON COLUMN relay_sum_changes.organisation_id IS 'D6 whose conversions';
COMMENT ON COLUMN relay_sum_changes.what IS 'D6 as in relay_sums';
COMMENT ON COLUMN relay_sum_changes.begins_at IS 'D6 of which quarter of an hour';
COMMENT ON COLUMN relay_sum_changes.about IS 'D6 number of the destination; of told: of the source';
COMMENT ON COLUMN relay_sum_changes.state IS 'D6 how the deliveries stand';
COMMENT ON COLUMN relay_sum_changes.reason IS 'D6 why they were withheld or set aside';
COMMENT ON COLUMN relay_sum_changes.was_sent IS 'D6 were they sent at least once';
COMMENT ON COLUMN relay_sum_changes.step IS 'D6 how long the platform took to accept, in steps of 5 %; -1 = it has not';
COMMENT ON COLUMN relay_sum_changes.present IS 'D6 which identifiers were present, by name';
COMMENT ON COLUMN relay_sum_changes.rows IS 'D6 how many more or, below nothing, fewer';
COMMENT ON COLUMN relay_sum_changes.doubles IS 'D6 how often more they were told again';
COMMENT ON COLUMN relay_sum_changes.routed IS 'D6 how many more of them have a delivery';

ALTER TABLE relay_sums ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE relay_sum_changes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON relay_sums USING (organisation_id = current_organisation());
CREATE POLICY tenant ON relay_sum_changes USING (organisation_id = current_organisation());
GRANT SELECT, INSERT, UPDATE, DELETE ON relay_sums TO fairlead_app;
GRANT SELECT, INSERT, DELETE ON relay_sum_changes TO fairlead_app;

-- Both together are what is so.
CREATE VIEW relay_summed WITH (security_invoker = true) AS
  SELECT organisation_id, what, begins_at, ends_at, about, state, reason, was_sent, step, present, rows, doubles, routed, is_day FROM relay_sums
  UNION ALL
  SELECT organisation_id, what, begins_at, begins_at + interval '15 minutes', about, state, reason, was_sent, step, present, rows, doubles, routed, false
  FROM relay_sum_changes;
GRANT SELECT ON relay_summed TO fairlead_app;

-- A quarter of an hour: zones differ by quarters, so every day of every zone is made of whole ones.
CREATE FUNCTION relay_quarter(at timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN date_bin('15 minutes', at, timestamptz '2000-01-01 00:00:00+00');
CREATE FUNCTION relay_step(state text, created_at timestamptz, settled_at timestamptz) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN state = 'accepted' AND settled_at IS NOT NULL
    THEN floor(20 * ln(1 + greatest(0, date_part('epoch', settled_at - created_at) * 1000)))::int ELSE -1 END;

CREATE FUNCTION relay_sum_deliveries_made() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO relay_sum_changes (organisation_id, what, begins_at, about, state, reason, was_sent, step, rows)
  SELECT d.organisation_id, 'deliveries', relay_quarter(d.created_at), d.destination_id,
    CASE WHEN d.state IN ('waiting', 'sending') THEN 'open' ELSE d.state END,
    CASE WHEN d.state IN ('withheld', 'dead') THEN coalesce(d.reason, '') ELSE '' END,
    d.first_sent_at IS NOT NULL, relay_step(d.state, d.created_at, d.settled_at), count(*)
  FROM changed d GROUP BY 1, 3, 4, 5, 6, 7, 8;
  WITH theirs AS (
    SELECT d.id, d.organisation_id, d.conversion_id, d.destination_id, c.source_id, c.present, relay_quarter(c.received_at) AS begins_at
    -- One look into an index for each, whatever the planner thinks of how many there are.
    FROM changed d CROSS JOIN LATERAL (
      SELECT x.source_id, x.present, x.received_at FROM relay_conversions x
      WHERE x.organisation_id = d.organisation_id AND x.id = d.conversion_id LIMIT 1) AS c
  ), cover AS (
    INSERT INTO relay_sum_changes (organisation_id, what, begins_at, about, present, rows)
    SELECT organisation_id, 'cover', begins_at, destination_id, present, count(*) FROM theirs GROUP BY 1, 3, 4, 5
  )
  INSERT INTO relay_sum_changes (organisation_id, what, begins_at, about, present, routed)
  SELECT t.organisation_id, 'told', t.begins_at, t.source_id, t.present, count(*)
  FROM (SELECT organisation_id, conversion_id, begins_at, source_id, present, min(id) AS first FROM theirs GROUP BY 1, 2, 3, 4, 5) AS t
  WHERE NOT EXISTS (SELECT FROM relay_deliveries o
    WHERE o.organisation_id = t.organisation_id AND o.conversion_id = t.conversion_id AND o.id < t.first)
  GROUP BY 1, 3, 4, 5;
  RETURN NULL;
END $$;

CREATE FUNCTION relay_sum_deliveries_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO relay_sum_changes (organisation_id, what, begins_at, about, state, reason, was_sent, step, rows)
  SELECT d.organisation_id, 'deliveries', relay_quarter(d.created_at), d.destination_id,
    CASE WHEN d.state IN ('waiting', 'sending') THEN 'open' ELSE d.state END,
    CASE WHEN d.state IN ('withheld', 'dead') THEN coalesce(d.reason, '') ELSE '' END,
    d.was_sent, relay_step(d.state, d.created_at, d.settled_at), sum(d.n)
  FROM (SELECT organisation_id, created_at, destination_id, state, reason, first_sent_at IS NOT NULL AS was_sent, settled_at, 1 AS n FROM changed
        UNION ALL
        SELECT organisation_id, created_at, destination_id, state, reason, first_sent_at IS NOT NULL, settled_at, -1 FROM before) AS d
  GROUP BY 1, 3, 4, 5, 6, 7, 8 HAVING sum(d.n) <> 0;
  RETURN NULL;
END $$;

-- Of deliveries whose conversion goes with them, that conversion takes back what else was counted: it is not there any more.
CREATE FUNCTION relay_sum_deliveries_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO relay_sum_changes (organisation_id, what, begins_at, about, state, reason, was_sent, step, rows)
  SELECT d.organisation_id, 'deliveries', relay_quarter(d.created_at), d.destination_id,
    CASE WHEN d.state IN ('waiting', 'sending') THEN 'open' ELSE d.state END,
    CASE WHEN d.state IN ('withheld', 'dead') THEN coalesce(d.reason, '') ELSE '' END,
    d.first_sent_at IS NOT NULL, relay_step(d.state, d.created_at, d.settled_at), -count(*)
  FROM before d GROUP BY 1, 3, 4, 5, 6, 7, 8;
  WITH theirs AS (
    SELECT d.organisation_id, d.conversion_id, d.destination_id, c.source_id, c.present, relay_quarter(c.received_at) AS begins_at,
      EXISTS (SELECT FROM relay_deliveries o WHERE o.organisation_id = d.organisation_id AND o.conversion_id = d.conversion_id) AS has_others
    FROM before d CROSS JOIN LATERAL (
      SELECT x.source_id, x.present, x.received_at FROM relay_conversions x
      WHERE x.organisation_id = d.organisation_id AND x.id = d.conversion_id LIMIT 1) AS c
  ), cover AS (
    INSERT INTO relay_sum_changes (organisation_id, what, begins_at, about, present, rows)
    SELECT organisation_id, 'cover', begins_at, destination_id, present, -count(*) FROM theirs GROUP BY 1, 3, 4, 5
  )
  INSERT INTO relay_sum_changes (organisation_id, what, begins_at, about, present, routed)
  SELECT organisation_id, 'told', begins_at, source_id, present, -count(DISTINCT conversion_id) FROM theirs WHERE NOT has_others GROUP BY 1, 3, 4, 5;
  RETURN NULL;
END $$;

CREATE FUNCTION relay_sum_conversions_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO relay_sum_changes (organisation_id, what, begins_at, about, present, rows, doubles)
  SELECT organisation_id, 'told', relay_quarter(received_at), source_id, present, count(*), sum(doubles) FROM changed GROUP BY 1, 3, 4, 5;
  RETURN NULL;
END $$;

-- A conversion that was told again, and perhaps with more identifiers: what its deliveries carry is another then.
CREATE FUNCTION relay_sum_conversion_told_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO relay_sum_changes (organisation_id, what, begins_at, about, present, rows, doubles, routed)
  SELECT organisation_id, 'told', relay_quarter(received_at), source_id, present, sign, sign * doubles, sign * has.deliveries
  FROM (VALUES (OLD.organisation_id, OLD.received_at, OLD.source_id, OLD.present, OLD.doubles, -1),
               (NEW.organisation_id, NEW.received_at, NEW.source_id, NEW.present, NEW.doubles, 1))
    AS one (organisation_id, received_at, source_id, present, doubles, sign),
    (SELECT EXISTS (SELECT FROM relay_deliveries d WHERE d.organisation_id = NEW.organisation_id AND d.conversion_id = NEW.id)::int AS deliveries) AS has;
  IF OLD.present IS DISTINCT FROM NEW.present THEN
    INSERT INTO relay_sum_changes (organisation_id, what, begins_at, about, present, rows)
    SELECT NEW.organisation_id, 'cover', relay_quarter(NEW.received_at), d.destination_id, one.present, sum(one.sign)
    FROM relay_deliveries d, (VALUES (OLD.present, -1), (NEW.present, 1)) AS one (present, sign)
    WHERE d.organisation_id = NEW.organisation_id AND d.conversion_id = NEW.id GROUP BY 4, 5;
  END IF;
  RETURN NULL;
END $$;

-- Before its deliveries go with it.
CREATE FUNCTION relay_sum_conversion_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO relay_sum_changes (organisation_id, what, begins_at, about, present, rows, doubles, routed)
  SELECT OLD.organisation_id, 'told', relay_quarter(OLD.received_at), OLD.source_id, OLD.present, -1, -OLD.doubles,
    -EXISTS (SELECT FROM relay_deliveries d WHERE d.organisation_id = OLD.organisation_id AND d.conversion_id = OLD.id)::int;
  INSERT INTO relay_sum_changes (organisation_id, what, begins_at, about, present, rows)
  SELECT OLD.organisation_id, 'cover', relay_quarter(OLD.received_at), d.destination_id, OLD.present, -count(*)
  FROM relay_deliveries d WHERE d.organisation_id = OLD.organisation_id AND d.conversion_id = OLD.id GROUP BY 4;
  RETURN OLD;
END $$;

CREATE TRIGGER relay_sum_made AFTER INSERT ON relay_deliveries REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION relay_sum_deliveries_made();
CREATE TRIGGER relay_sum_changed AFTER UPDATE ON relay_deliveries REFERENCING OLD TABLE AS before NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION relay_sum_deliveries_changed();
CREATE TRIGGER relay_sum_gone AFTER DELETE ON relay_deliveries REFERENCING OLD TABLE AS before
  FOR EACH STATEMENT EXECUTE FUNCTION relay_sum_deliveries_gone();
CREATE TRIGGER relay_sum_told AFTER INSERT ON relay_conversions REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION relay_sum_conversions_told();
CREATE TRIGGER relay_sum_told_again AFTER UPDATE OF doubles, present ON relay_conversions
  FOR EACH ROW WHEN (OLD.doubles IS DISTINCT FROM NEW.doubles OR OLD.present IS DISTINCT FROM NEW.present)
  EXECUTE FUNCTION relay_sum_conversion_told_again();
CREATE TRIGGER relay_sum_gone BEFORE DELETE ON relay_conversions FOR EACH ROW EXECUTE FUNCTION relay_sum_conversion_gone();

-- Everything of the sums of an organisation, out of the rows themselves: for what is here before them, and for a desk whose
-- organisation moved to another zone. One statement, so that what is changed meanwhile is in it or beside it, and never both.
CREATE FUNCTION relay_sums_anew(organisation bigint) RETURNS void LANGUAGE sql AS $$
  WITH changes_gone AS (DELETE FROM relay_sum_changes WHERE organisation_id = organisation),
  sums_gone AS (DELETE FROM relay_sums WHERE organisation_id = organisation)
  INSERT INTO relay_sum_changes (organisation_id, what, begins_at, about, state, reason, was_sent, step, present, rows, doubles, routed)
  SELECT d.organisation_id, 'deliveries', relay_quarter(d.created_at), d.destination_id,
    CASE WHEN d.state IN ('waiting', 'sending') THEN 'open' ELSE d.state END,
    CASE WHEN d.state IN ('withheld', 'dead') THEN coalesce(d.reason, '') ELSE '' END,
    d.first_sent_at IS NOT NULL, relay_step(d.state, d.created_at, d.settled_at), '{}'::text[], count(*), 0, 0
  FROM relay_deliveries d WHERE d.organisation_id = organisation GROUP BY 1, 3, 4, 5, 6, 7, 8
  UNION ALL
  SELECT c.organisation_id, 'cover', relay_quarter(c.received_at), d.destination_id, '', '', false, -1, c.present, count(*), 0, 0
  FROM relay_deliveries d JOIN relay_conversions c ON c.organisation_id = d.organisation_id AND c.id = d.conversion_id
  WHERE d.organisation_id = organisation GROUP BY 1, 3, 4, 9
  UNION ALL
  SELECT c.organisation_id, 'told', relay_quarter(c.received_at), c.source_id, '', '', false, -1, c.present, count(*), sum(c.doubles),
    count(*) FILTER (WHERE EXISTS (SELECT FROM relay_deliveries d WHERE d.organisation_id = c.organisation_id AND d.conversion_id = c.id))
  FROM relay_conversions c WHERE c.organisation_id = organisation GROUP BY 1, 3, 4, 9
$$;

GRANT EXECUTE ON FUNCTION relay_quarter(timestamptz), relay_step(text, timestamptz, timestamptz), relay_sums_anew(bigint) TO fairlead_app;

ALTER TABLE organisations NO FORCE ROW LEVEL SECURITY;
DO $$
DECLARE one bigint; before text := current_setting('fairlead.organisation', true);
BEGIN
  FOR one IN SELECT id FROM organisations LOOP
    PERFORM set_config('fairlead.organisation', one::text, true);
    PERFORM relay_sums_anew(one);
  END LOOP;
  PERFORM set_config('fairlead.organisation', coalesce(before, ''), true);
END $$;
ALTER TABLE organisations FORCE ROW LEVEL SECURITY;

-- Whose changes are to be added up, and how much waits at a platform: numbers alone.
GRANT SELECT (organisation_id) ON relay_sum_changes TO fairlead_lookup;
GRANT SELECT (what, about, state, rows) ON relay_sums, relay_sum_changes TO fairlead_lookup;
CREATE POLICY lookup ON relay_sums FOR SELECT TO fairlead_lookup USING (true);
CREATE POLICY lookup ON relay_sum_changes FOR SELECT TO fairlead_lookup USING (true);
SET LOCAL ROLE fairlead_lookup;
CREATE FUNCTION lookup.relay_sums_to_add() RETURNS TABLE (organisation_id bigint)
  LANGUAGE sql STABLE SECURITY DEFINER
  BEGIN ATOMIC
    SELECT DISTINCT c.organisation_id FROM relay_sum_changes c;
  END;
CREATE OR REPLACE FUNCTION lookup.deliveries_queued(at_platform text) RETURNS bigint
  LANGUAGE sql STABLE SECURITY DEFINER
  BEGIN ATOMIC
    SELECT coalesce(sum(s.rows), 0)::bigint FROM relay_destinations o JOIN (
      SELECT about, rows FROM relay_sums WHERE state = 'open'
      UNION ALL SELECT about, rows FROM relay_sum_changes WHERE state = 'open') AS s ON s.about = o.id
    WHERE o.kind = at_platform;
  END;
RESET ROLE;
