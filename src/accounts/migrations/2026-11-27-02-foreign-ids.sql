-- The ids that trackers of other products know a site by, so that a site moves in by changing a host name.
-- A sender brings nothing but the id, so one id leads to one site of the whole desk, as a domain does: its unique key
-- carries no organisation, and who takes an id that is in use learns only that it is.
CREATE TABLE foreign_ids (
  organisation_id bigint NOT NULL,
  site_id bigint NOT NULL,
  product text NOT NULL CHECK (product IN ('umami', 'rybbit', 'openpanel')),
  foreign_id text NOT NULL CHECK (foreign_id ~ '^[A-Za-z0-9_-]{1,64}$'),
  secret_digest bytea CHECK (length(secret_digest) = 32),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organisation_id, site_id, product),
  UNIQUE (product, foreign_id),
  FOREIGN KEY (site_id, organisation_id) REFERENCES sites (id, organisation_id) ON DELETE CASCADE,
  CHECK (secret_digest IS NULL OR product = 'openpanel')
);
COMMENT ON COLUMN foreign_ids.organisation_id IS 'D7 whose site';
COMMENT ON COLUMN foreign_ids.site_id IS 'D7 the site it leads to';
COMMENT ON COLUMN foreign_ids.product IS 'D7 the product whose trackers send it';
COMMENT ON COLUMN foreign_ids.foreign_id IS 'D7 the id that the site has there; it stands in the source of its pages';
COMMENT ON COLUMN foreign_ids.secret_digest IS 'D8 keyed digest of the client secret that servers send; null when there is none';
COMMENT ON COLUMN foreign_ids.created_at IS 'D7 when it was set';

ALTER TABLE foreign_ids ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON foreign_ids USING (organisation_id = current_organisation());
GRANT SELECT, INSERT, DELETE ON foreign_ids TO fairlead_app;
