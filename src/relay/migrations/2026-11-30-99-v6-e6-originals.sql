-- A correction names its order by `original`. Row security has a row looked at before anything is computed of it, so an index of an
-- expression on `facts` finds none of them: each read all corrections of the organisation. Columns are found, as the id of the
-- event is (v6-e1). Plain ones, which the loader fills: generated ones would write the whole table anew (a million conversions took
-- 18 s, these and their fill 6), and most conversions correct nothing.
ALTER TABLE relay_conversions ADD COLUMN original_order_id text, ADD COLUMN original_event_id text;
COMMENT ON COLUMN relay_conversions.original_order_id IS 'D6 the order that it corrects, as it stands in facts';
COMMENT ON COLUMN relay_conversions.original_event_id IS 'D6 the event that it corrects, as it stands in facts';
ALTER TABLE relay_conversions NO FORCE ROW LEVEL SECURITY;
UPDATE relay_conversions SET original_order_id = facts -> 'original' ->> 'order_id', original_event_id = facts -> 'original' ->> 'event_id'
  WHERE facts ? 'original';
ALTER TABLE relay_conversions FORCE ROW LEVEL SECURITY;
DROP INDEX relay_conversions_of_an_original;
CREATE INDEX relay_conversions_of_an_original_order ON relay_conversions (organisation_id, original_order_id) WHERE original_order_id IS NOT NULL;
CREATE INDEX relay_conversions_of_an_original_event ON relay_conversions (organisation_id, original_event_id) WHERE original_event_id IS NOT NULL;
