-- How often a page of the dashboard was opened, by day and organisation, of those people who agreed to be counted. A row has no person,
-- no address and no moment: who opened what cannot be read out of it.
CREATE TABLE product_usage (
  organisation_id bigint NOT NULL REFERENCES organisations ON DELETE CASCADE,
  day date NOT NULL,
  page text NOT NULL CHECK (page ~ '^[a-z][a-z-]{0,39}$'),
  opened integer NOT NULL CHECK (opened > 0),
  PRIMARY KEY (organisation_id, day, page)
);
COMMENT ON COLUMN product_usage.organisation_id IS 'D22 in which organisation';
COMMENT ON COLUMN product_usage.day IS 'D22 UTC day';
COMMENT ON COLUMN product_usage.page IS 'D22 a page of the dashboard, a word of the code';
COMMENT ON COLUMN product_usage.opened IS 'D22 how often it was opened';
ALTER TABLE product_usage ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON product_usage USING (organisation_id = current_organisation());
GRANT SELECT, INSERT, DELETE, UPDATE (opened) ON product_usage TO fairlead_app;

CREATE TABLE product_usage_settings (
  id integer PRIMARY KEY CHECK (id = 1),
  is_on boolean NOT NULL,
  changed_at timestamptz NOT NULL
);
COMMENT ON COLUMN product_usage_settings.id IS 'D22 always 1';
COMMENT ON COLUMN product_usage_settings.is_on IS 'D22 is the use of the dashboard counted at all?';
COMMENT ON COLUMN product_usage_settings.changed_at IS 'D22 when it was switched; who did stands in the audit log';
GRANT SELECT, INSERT, UPDATE ON product_usage_settings TO fairlead_app;
