-- A goal may ask for one value of one property of its event, or for how far down a page has been seen.
ALTER TABLE goals DROP CONSTRAINT goals_kind_check;
ALTER TABLE goals
  ADD COLUMN property text CHECK (length(property) BETWEEN 1 AND 300),
  ADD COLUMN property_value text CHECK (length(property_value) BETWEEN 1 AND 2000),
  ADD COLUMN scroll_depth smallint CHECK (scroll_depth BETWEEN 1 AND 100),
  ADD CONSTRAINT goals_kind_check CHECK (kind IN ('page', 'event', 'scroll')),
  ADD CONSTRAINT goals_property_of_event CHECK ((property IS NULL) = (property_value IS NULL) AND (property IS NULL OR kind = 'event')),
  ADD CONSTRAINT goals_depth_of_scroll CHECK ((scroll_depth IS NOT NULL) = (kind = 'scroll'));
COMMENT ON COLUMN goals.kind IS 'D7 page (pattern of paths), event (name) or scroll (pattern of paths)';
COMMENT ON COLUMN goals.property IS 'D7 the property that its event has to carry';
COMMENT ON COLUMN goals.property_value IS 'D7 the value of that property';
COMMENT ON COLUMN goals.scroll_depth IS 'D7 percent of the page that has to have been seen';
