-- What goes with a row of the relay is found by whose it is, and no more by where it lies (v6-01): a delivery that its turn wrote in
-- between lies elsewhere, was passed over, and stayed without its conversion. Whoever waits for that turn finds it by its number.
-- EXECUTE plans anew each time, as before; of a list that the plan does not know, few are expected, so that it looks into the
-- index (relay_deliveries_once, relay_subjects_of_a_telling) for each. Takes the table, and its column that says which of the
-- rows that go each row belongs to.
CREATE OR REPLACE FUNCTION relay_go_too() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE one bigint;
BEGIN
  FOR one IN SELECT DISTINCT organisation_id FROM gone LOOP
    EXECUTE format($sql$ DELETE FROM %1$I WHERE organisation_id = $1
      AND %2$I = ANY (ARRAY(SELECT id FROM gone WHERE organisation_id = $1)) $sql$, TG_ARGV[0], TG_ARGV[1]) USING one;
  END LOOP;
  RETURN NULL;
END $$;

-- Those that stayed: no page has them and no deletion finds them. Digests of persons are never written again, so none of them did.
ALTER TABLE organisations NO FORCE ROW LEVEL SECURITY;
DO $$
DECLARE one bigint; before text := current_setting('fairlead.organisation', true);
BEGIN
  FOR one IN SELECT id FROM organisations LOOP
    PERFORM set_config('fairlead.organisation', one::text, true);
    DELETE FROM relay_deliveries d WHERE d.organisation_id = one
      AND NOT EXISTS (SELECT FROM relay_conversions c WHERE c.organisation_id = one AND c.id = d.conversion_id);
  END LOOP;
  PERFORM set_config('fairlead.organisation', coalesce(before, ''), true);
END $$;
ALTER TABLE organisations FORCE ROW LEVEL SECURITY;
