-- The hour's sweep looks at tellings that still have raw identifiers, some thousand at a time and in the order of their numbers, and at
-- no others: of most they have long gone. Numbers begin with the time, so a new one lies at the end of its index.
CREATE INDEX relay_tellings_with_raw ON relay_tellings (organisation_id, id) WHERE raw_sealed IS NOT NULL;

-- Conversions of which a restriction withheld the last delivery counted as under way for ever. They ended with it.
ALTER TABLE organisations NO FORCE ROW LEVEL SECURITY;
DO $$
DECLARE one bigint; before text := current_setting('fairlead.organisation', true);
BEGIN
  FOR one IN SELECT id FROM organisations LOOP
    PERFORM set_config('fairlead.organisation', one::text, true);
    UPDATE relay_conversions c SET settled_at = ended.at FROM (
      SELECT d.conversion_id, max(d.settled_at) AS at FROM relay_deliveries d
      WHERE d.organisation_id = one AND d.conversion_id IN (
        SELECT r.conversion_id FROM relay_deliveries r WHERE r.organisation_id = one AND r.state = 'withheld' AND r.reason = 'restricted')
      GROUP BY 1 HAVING bool_and(d.state NOT IN ('held', 'waiting', 'sending'))) AS ended
    WHERE c.organisation_id = one AND c.id = ended.conversion_id AND c.settled_at IS NULL;
  END LOOP;
  PERFORM set_config('fairlead.organisation', coalesce(before, ''), true);
END $$;
ALTER TABLE organisations FORCE ROW LEVEL SECURITY;
