-- What is made is counted by looks that hold whatever the statistics (as v6-e5 has it for what goes). Of tables that were emptied and
-- then analysed the planner expects next to nothing, and takes any index that begins with the organisation: for each conversion that
-- came all that had come since was read, 7,000 entries for each of 2,000.

-- The same sums as before (v6-01). An order that one index alone has, where no sort may be used, keeps each look with that index:
-- relay_deliveries_once, and the key of conversions. A range of one number is no equality, after which its order would count for nothing.
CREATE OR REPLACE FUNCTION relay_sum_deliveries_made() RETURNS trigger LANGUAGE plpgsql SET enable_sort = off AS $$
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
      NOT EXISTS (SELECT FROM (SELECT d.id FROM relay_deliveries d
        WHERE d.organisation_id = m.organisation_id AND d.conversion_id = m.conversion_id ORDER BY d.route_id OFFSET 0) AS o
        WHERE o.id < m.first) AS is_first,
      count(*) AS rows
    FROM mine m CROSS JOIN LATERAL (
      SELECT x.source_id, x.present, x.received_at FROM relay_conversions x
      WHERE x.organisation_id = m.organisation_id AND x.id BETWEEN m.conversion_id AND m.conversion_id ORDER BY x.id LIMIT 1) AS c
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

-- Of deliveries that go by themselves (v6-e5) the conversion was still looked for in any index: the one by time, from its beginning.
CREATE OR REPLACE FUNCTION relay_sum_deliveries_gone() RETURNS trigger LANGUAGE plpgsql SET enable_sort = off AS $$
BEGIN
  INSERT INTO relay_sum_changes (organisation_id, what, begins_at, about, state, reason, was_sent, step, rows)
  SELECT d.organisation_id, 'deliveries', relay_quarter(d.created_at), d.destination_id,
    CASE WHEN d.state IN ('waiting', 'sending') THEN 'open' ELSE d.state END,
    CASE WHEN d.state IN ('withheld', 'dead') THEN coalesce(d.reason, '') ELSE '' END,
    d.first_sent_at IS NOT NULL, relay_step(d.state, d.created_at, d.settled_at), -count(*)
  FROM before d GROUP BY 1, 3, 4, 5, 6, 7, 8;
  EXECUTE $sql$ WITH theirs AS MATERIALIZED (
    SELECT d.organisation_id, d.conversion_id, d.destination_id, c.source_id, c.present, relay_quarter(c.received_at) AS begins_at,
      EXISTS (SELECT FROM (SELECT FROM relay_deliveries o
        WHERE o.organisation_id = d.organisation_id AND o.conversion_id = d.conversion_id ORDER BY o.route_id OFFSET 0) AS other) AS has_others
    FROM before d CROSS JOIN LATERAL (
      SELECT x.source_id, x.present, x.received_at FROM relay_conversions x
      WHERE x.organisation_id = d.organisation_id AND x.id BETWEEN d.conversion_id AND d.conversion_id ORDER BY x.id LIMIT 1) AS c
  ), cover AS (
    INSERT INTO relay_sum_changes (organisation_id, what, begins_at, about, present, rows)
    SELECT organisation_id, 'cover', begins_at, destination_id, present, -count(*) FROM theirs GROUP BY 1, 3, 4, 5
  )
  INSERT INTO relay_sum_changes (organisation_id, what, begins_at, about, present, routed)
  SELECT organisation_id, 'told', begins_at, source_id, present, -count(DISTINCT conversion_id) FROM theirs WHERE NOT has_others GROUP BY 1, 3, 4, 5 $sql$;
  RETURN NULL;
END $$;
