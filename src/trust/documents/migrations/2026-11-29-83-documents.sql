-- Documents of an organisation that are made from the data map: which words were read by whom, what was published, who was
-- told of it, and who accepted the agreement. Nothing of it is ever changed.
CREATE TABLE document_reviews (
  organisation_id bigint NOT NULL REFERENCES organisations,
  kind text NOT NULL CHECK (kind IN ('privacy-notice', 'cookies', 'retention', 'record-of-processing', 'processing-agreement', 'data-map')),
  digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
  reviewed_at timestamptz NOT NULL,
  reviewed_by bigint NOT NULL,
  PRIMARY KEY (organisation_id, kind, digest)
);
COMMENT ON COLUMN document_reviews.organisation_id IS 'D7 whose document was read';
COMMENT ON COLUMN document_reviews.kind IS 'D7 which document';
COMMENT ON COLUMN document_reviews.digest IS 'D7 of the words that were read: a review is of no others';
COMMENT ON COLUMN document_reviews.reviewed_at IS 'D7 when';
COMMENT ON COLUMN document_reviews.reviewed_by IS 'D7 number of who read them';
ALTER TABLE document_reviews ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON document_reviews USING (organisation_id = current_organisation());
GRANT SELECT, INSERT ON document_reviews TO fairlead_app;

CREATE TABLE document_versions (
  organisation_id bigint NOT NULL REFERENCES organisations,
  kind text NOT NULL CHECK (kind IN ('privacy-notice', 'cookies', 'retention', 'record-of-processing', 'processing-agreement', 'data-map')),
  version integer NOT NULL CHECK (version > 0),
  digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
  content jsonb NOT NULL CHECK (pg_column_size(content) <= 262144),
  effective_on date NOT NULL,
  is_material boolean NOT NULL,
  reviewed_at timestamptz NOT NULL,
  reviewed_by bigint NOT NULL,
  published_at timestamptz NOT NULL,
  published_by bigint NOT NULL,
  PRIMARY KEY (organisation_id, kind, version)
);
COMMENT ON COLUMN document_versions.organisation_id IS 'D7 whose document it is';
COMMENT ON COLUMN document_versions.kind IS 'D7 which document';
COMMENT ON COLUMN document_versions.version IS 'D7 number of the version';
COMMENT ON COLUMN document_versions.digest IS 'D7 of its words';
COMMENT ON COLUMN document_versions.content IS 'D7 its sections, as words and never as markup; public';
COMMENT ON COLUMN document_versions.effective_on IS 'D7 from which day on it holds';
COMMENT ON COLUMN document_versions.is_material IS 'D7 whether members were told';
COMMENT ON COLUMN document_versions.reviewed_at IS 'D7 when its words were read';
COMMENT ON COLUMN document_versions.reviewed_by IS 'D7 number of who read them';
COMMENT ON COLUMN document_versions.published_at IS 'D7 when it was published';
COMMENT ON COLUMN document_versions.published_by IS 'D7 number of who published it';
ALTER TABLE document_versions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON document_versions USING (organisation_id = current_organisation());
GRANT SELECT, INSERT ON document_versions TO fairlead_app;

CREATE TABLE document_receipts (
  organisation_id bigint NOT NULL REFERENCES organisations,
  kind text NOT NULL CHECK (kind IN ('privacy-notice', 'cookies', 'retention', 'record-of-processing', 'processing-agreement', 'data-map', 'subprocessors')),
  version integer NOT NULL,
  person_id bigint NOT NULL,
  told_at timestamptz NOT NULL,
  PRIMARY KEY (organisation_id, kind, version, person_id)
);
COMMENT ON COLUMN document_receipts.organisation_id IS 'D7 whose member was told';
COMMENT ON COLUMN document_receipts.kind IS 'D7 of which document';
COMMENT ON COLUMN document_receipts.version IS 'D7 of which version';
COMMENT ON COLUMN document_receipts.person_id IS 'D7 number of who was told, in the desk and by mail';
COMMENT ON COLUMN document_receipts.told_at IS 'D7 when';
ALTER TABLE document_receipts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON document_receipts USING (organisation_id = current_organisation());
GRANT SELECT, INSERT ON document_receipts TO fairlead_app;

CREATE TABLE agreement_acceptances (
  organisation_id bigint NOT NULL REFERENCES organisations,
  version integer NOT NULL,
  accepted_at timestamptz NOT NULL,
  accepted_by bigint NOT NULL,
  PRIMARY KEY (organisation_id, version)
);
COMMENT ON COLUMN agreement_acceptances.organisation_id IS 'D7 which organisation accepted';
COMMENT ON COLUMN agreement_acceptances.version IS 'D7 which version of the processing agreement';
COMMENT ON COLUMN agreement_acceptances.accepted_at IS 'D7 when';
COMMENT ON COLUMN agreement_acceptances.accepted_by IS 'D7 number of the owner who accepted it';
ALTER TABLE agreement_acceptances ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON agreement_acceptances USING (organisation_id = current_organisation());
GRANT SELECT, INSERT ON agreement_acceptances TO fairlead_app;
