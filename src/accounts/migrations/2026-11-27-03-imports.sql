-- More kinds of files than events, and what an import of days holds: which tables, with which numbers, on which days.
-- Rows of days are read by the number of their import, so an import that is not done, or is being undone, is invisible.
ALTER TABLE imports DROP CONSTRAINT imports_kind_check;
ALTER TABLE imports ADD CONSTRAINT imports_kind_check
  CHECK (kind IN ('events', 'access-log', 'umami', 'plausible', 'ga4'));
ALTER TABLE imports ADD COLUMN days date[] NOT NULL DEFAULT '{}';
ALTER TABLE imports ADD COLUMN holds jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN imports.days IS 'D22 the days it holds numbers of: UTC days of events, days of the site for tables of days';
COMMENT ON COLUMN imports.holds IS 'D22 its tables of days with the numbers that each has, such as {"pages": ["visitors"]}; empty for events';
