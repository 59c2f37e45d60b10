-- What sending needs beside the rows themselves.

ALTER TABLE relay_deliveries ADD COLUMN tries_until timestamptz;
COMMENT ON COLUMN relay_deliveries.tries_until IS 'D6 until when it is tried again: hours from its first attempt, and the pauses that the platform asked for itself';
COMMENT ON COLUMN relay_deliveries.first_sent_at IS 'D6 the first attempt';

ALTER TABLE relay_attempts ADD COLUMN result_of bigint[];
COMMENT ON COLUMN relay_attempts.result_of IS 'D16 deliveries that wait for what the platform says later; null once that is known';

-- A refund finds its purchase, and a purchase the refunds that wait for it.
CREATE INDEX relay_deliveries_that_wait ON relay_deliveries (organisation_id, waits_for) WHERE waits_for IS NOT NULL;
CREATE INDEX relay_conversions_of_an_original ON relay_conversions
  (organisation_id, (coalesce(facts -> 'original' ->> 'order_id', facts -> 'original' ->> 'event_id'))) WHERE facts ? 'original';

-- Which requests to ask the result of, and how much waits how long at a platform: numbers alone.
GRANT SELECT (id, organisation_id, result_at) ON relay_attempts TO fairlead_lookup;
GRANT SELECT (kind) ON relay_destinations TO fairlead_lookup;
CREATE POLICY lookup ON relay_attempts FOR SELECT TO fairlead_lookup USING (true);
SET LOCAL ROLE fairlead_lookup;
CREATE FUNCTION lookup.results_to_ask(until timestamptz) RETURNS TABLE (organisation_id bigint, attempt_id bigint)
  LANGUAGE sql STABLE SECURITY DEFINER
  BEGIN ATOMIC
    SELECT a.organisation_id, a.id FROM relay_attempts a WHERE a.result_at <= until ORDER BY a.result_at LIMIT 1000;
  END;
CREATE FUNCTION lookup.deliveries_queued(at_platform text) RETURNS bigint
  LANGUAGE sql STABLE SECURITY DEFINER
  BEGIN ATOMIC
    SELECT count(*) FROM relay_destinations o JOIN relay_deliveries d ON d.destination_id = o.id
    WHERE o.kind = at_platform AND d.state IN ('waiting', 'sending');
  END;
CREATE FUNCTION lookup.delivery_overdue_ms(at_platform text, moment timestamptz) RETURNS bigint
  LANGUAGE sql STABLE SECURITY DEFINER
  BEGIN ATOMIC
    SELECT coalesce(max(greatest(0, extract(epoch FROM moment - first.next_at) * 1000)), 0)::bigint
    FROM relay_destinations o CROSS JOIN LATERAL (
      SELECT d.next_at FROM relay_deliveries d
      WHERE d.destination_id = o.id AND d.state IN ('waiting', 'sending') ORDER BY d.next_at LIMIT 1) AS first
    WHERE o.kind = at_platform;
  END;
RESET ROLE;
