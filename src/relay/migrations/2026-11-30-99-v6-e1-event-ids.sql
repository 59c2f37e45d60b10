-- A refund may name its purchase by the id of its event alone. Row security has a row looked at before anything is computed of it
-- that might tell of it, so the index of an expression on `facts` was never used: all conversions were read. A column is.
ALTER TABLE relay_conversions ADD COLUMN event_id text GENERATED ALWAYS AS (facts ->> 'event_id') STORED;
COMMENT ON COLUMN relay_conversions.event_id IS 'D6 the id that its source gave the event, as it stands in facts';
DROP INDEX relay_conversions_of_an_event_id;
CREATE INDEX relay_conversions_of_an_event_id ON relay_conversions (organisation_id, event_id) WHERE event_id IS NOT NULL;
