-- What goes is taken out of the sums (v5-01) by statements that are planned anew each time. A plan that was kept from when the
-- tables were nearly empty read all deliveries of the organisation for each conversion that went: the square of how many there are.

-- The deliveries of conversions that go are taken by one statement (v6-30), which now counts them as well, in place of two looks
-- for each conversion before it goes. Of a list that the plan does not know, few are expected: it looks into the index
-- (relay_deliveries_once) for each.
DROP TRIGGER relay_sum_gone ON relay_conversions;
DROP FUNCTION relay_sum_conversion_gone();
CREATE FUNCTION relay_deliveries_go_too() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE one bigint;
BEGIN
  FOR one IN SELECT DISTINCT organisation_id FROM gone LOOP
    EXECUTE $sql$ WITH theirs AS (
      DELETE FROM relay_deliveries WHERE organisation_id = $1
        AND conversion_id = ANY (ARRAY(SELECT id FROM gone WHERE organisation_id = $1))
      RETURNING conversion_id, destination_id
    ), cover AS (
      INSERT INTO relay_sum_changes (organisation_id, what, begins_at, about, present, rows)
      SELECT $1, 'cover', relay_quarter(c.received_at), t.destination_id, c.present, -count(*)
      FROM theirs t JOIN gone c ON c.organisation_id = $1 AND c.id = t.conversion_id GROUP BY 3, 4, 5
    )
    INSERT INTO relay_sum_changes (organisation_id, what, begins_at, about, present, rows, doubles, routed)
    SELECT $1, 'told', relay_quarter(c.received_at), c.source_id, c.present, -count(*), -sum(c.doubles),
      -(count(*) FILTER (WHERE c.id IN (SELECT conversion_id FROM theirs)))
    FROM gone c WHERE c.organisation_id = $1 GROUP BY 3, 4, 5 $sql$ USING one;
  END LOOP;
  RETURN NULL;
END $$;
DROP TRIGGER relay_deliveries_go_too ON relay_conversions;
CREATE TRIGGER relay_deliveries_go_too AFTER DELETE ON relay_conversions REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION relay_deliveries_go_too();

-- The same sums as before. Of deliveries whose conversion goes with them, the above has taken back what else was counted. The order
-- keeps the look with relay_deliveries_once, where no sort may be used: no other index has it.
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
      WHERE x.organisation_id = d.organisation_id AND x.id = d.conversion_id LIMIT 1) AS c
  ), cover AS (
    INSERT INTO relay_sum_changes (organisation_id, what, begins_at, about, present, rows)
    SELECT organisation_id, 'cover', begins_at, destination_id, present, -count(*) FROM theirs GROUP BY 1, 3, 4, 5
  )
  INSERT INTO relay_sum_changes (organisation_id, what, begins_at, about, present, routed)
  SELECT organisation_id, 'told', begins_at, source_id, present, -count(DISTINCT conversion_id) FROM theirs WHERE NOT has_others GROUP BY 1, 3, 4, 5 $sql$;
  RETURN NULL;
END $$;

-- A conversion that was told again had the same plan.
CREATE OR REPLACE FUNCTION relay_sum_conversion_told_again() RETURNS trigger LANGUAGE plpgsql SET enable_sort = off AS $$
BEGIN
  INSERT INTO relay_sum_changes (organisation_id, what, begins_at, about, present, rows, doubles, routed)
  SELECT organisation_id, 'told', relay_quarter(received_at), source_id, present, sign, sign * doubles, sign * has.deliveries
  FROM (VALUES (OLD.organisation_id, OLD.received_at, OLD.source_id, OLD.present, OLD.doubles, -1),
               (NEW.organisation_id, NEW.received_at, NEW.source_id, NEW.present, NEW.doubles, 1))
    AS one (organisation_id, received_at, source_id, present, doubles, sign),
    (SELECT EXISTS (SELECT FROM (SELECT FROM relay_deliveries d WHERE d.organisation_id = NEW.organisation_id
      AND d.conversion_id = NEW.id ORDER BY d.route_id OFFSET 0) AS any_of_it)::int AS deliveries) AS has;
  IF OLD.present IS DISTINCT FROM NEW.present THEN
    INSERT INTO relay_sum_changes (organisation_id, what, begins_at, about, present, rows)
    SELECT NEW.organisation_id, 'cover', relay_quarter(NEW.received_at), d.destination_id, one.present, sum(one.sign)
    FROM (SELECT o.destination_id FROM relay_deliveries o WHERE o.organisation_id = NEW.organisation_id
        AND o.conversion_id = NEW.id ORDER BY o.route_id OFFSET 0) AS d,
      (VALUES (OLD.present, -1), (NEW.present, 1)) AS one (present, sign)
    GROUP BY 4, 5;
  END IF;
  RETURN NULL;
END $$;
