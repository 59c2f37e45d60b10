-- What taking a conversion in costs PostgreSQL (docs/decisions/2026-11-30-relay-intake-processor.md).

-- A delivery, and a digest of a person, come into being in the same transaction as the row that they belong to, and nothing else
-- ever writes one: seven of nine looks at a key found for each conversion what had just been written, for a sixth of the time.
-- They go with that row, now by the statement in place of one by one. A telling may be told of a conversion that was there
-- before, so that key stays.
ALTER TABLE relay_deliveries DROP CONSTRAINT relay_deliveries_organisation_id_fkey;
ALTER TABLE relay_deliveries DROP CONSTRAINT relay_deliveries_organisation_id_conversion_id_fkey;
ALTER TABLE relay_subjects DROP CONSTRAINT relay_subjects_organisation_id_telling_id_fkey;

-- One look into an index for each row. EXECUTE plans anew each time: what is planned while a table is nearly empty is kept until its
-- rows are counted, and on a new desk all of it was read for each row for a minute (a thousand rows took five seconds).
-- Takes the table, and its column that says which of the rows that go each row belongs to.
CREATE FUNCTION relay_go_too() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format($sql$ DELETE FROM %1$I WHERE ctid = ANY (ARRAY(
    SELECT theirs.ctid FROM gone CROSS JOIN LATERAL (
      SELECT x.ctid FROM %1$I x WHERE x.organisation_id = gone.organisation_id AND x.%2$I = gone.id OFFSET 0) AS theirs)) $sql$,
    TG_ARGV[0], TG_ARGV[1]);
  RETURN NULL;
END $$;
CREATE TRIGGER relay_deliveries_go_too AFTER DELETE ON relay_conversions REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION relay_go_too('relay_deliveries', 'conversion_id');
CREATE TRIGGER relay_subjects_go_too AFTER DELETE ON relay_tellings REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION relay_go_too('relay_subjects', 'telling_id');

-- The same sums as before (v5-01), with one look at each conversion in place of one for each of its deliveries, and put together
-- once: a thousand conversions of a minute have some dozen sets of identifiers.
CREATE OR REPLACE FUNCTION relay_sum_deliveries_made() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO relay_sum_changes (organisation_id, what, begins_at, about, state, reason, was_sent, step, rows)
  SELECT d.organisation_id, 'deliveries', relay_quarter(d.created_at), d.destination_id,
    CASE WHEN d.state IN ('waiting', 'sending') THEN 'open' ELSE d.state END,
    CASE WHEN d.state IN ('withheld', 'dead') THEN coalesce(d.reason, '') ELSE '' END,
    d.first_sent_at IS NOT NULL, relay_step(d.state, d.created_at, d.settled_at), count(*)
  FROM changed d GROUP BY 1, 3, 4, 5, 6, 7, 8;
  EXECUTE $sql$ WITH mine AS (
    SELECT organisation_id, conversion_id, min(id) AS first, array_agg(destination_id ORDER BY destination_id) AS destinations
    FROM changed GROUP BY 1, 2
  ), theirs AS MATERIALIZED (
    SELECT m.organisation_id, m.destinations, c.source_id, c.present, relay_quarter(c.received_at) AS begins_at,
      -- OFFSET keeps the number out of the index: by it all deliveries of the organisation would be read, for each conversion.
      NOT EXISTS (SELECT FROM (SELECT d.id FROM relay_deliveries d
        WHERE d.organisation_id = m.organisation_id AND d.conversion_id = m.conversion_id OFFSET 0) AS o WHERE o.id < m.first) AS is_first,
      count(*) AS rows
    FROM mine m CROSS JOIN LATERAL (
      SELECT x.source_id, x.present, x.received_at FROM relay_conversions x
      WHERE x.organisation_id = m.organisation_id AND x.id = m.conversion_id LIMIT 1) AS c
    GROUP BY 1, 2, 3, 4, 5, 6
  ), cover AS (
    INSERT INTO relay_sum_changes (organisation_id, what, begins_at, about, present, rows)
    SELECT t.organisation_id, 'cover', t.begins_at, one.destination_id, t.present, sum(t.rows)
    FROM theirs t CROSS JOIN LATERAL unnest(t.destinations) AS one(destination_id) GROUP BY 1, 3, 4, 5
  )
  INSERT INTO relay_sum_changes (organisation_id, what, begins_at, about, present, routed)
  SELECT organisation_id, 'told', begins_at, source_id, present, sum(rows) FROM theirs WHERE is_first GROUP BY 1, 3, 4, 5 $sql$;
  RETURN NULL;
END $$;
