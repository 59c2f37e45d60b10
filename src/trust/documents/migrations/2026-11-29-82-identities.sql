-- Who an organisation is, and who runs the desk: one row for each version, the last one holds. Entered once, and read by
-- every document, reply and page that names them.
CREATE TABLE organisation_identities (
  organisation_id bigint NOT NULL REFERENCES organisations,
  version integer NOT NULL CHECK (version > 0),
  legal_name text CHECK (length(legal_name) BETWEEN 1 AND 200),
  address text CHECK (length(address) BETWEEN 1 AND 500),
  jurisdiction text CHECK (length(jurisdiction) BETWEEN 1 AND 120),
  registration text CHECK (length(registration) BETWEEN 1 AND 300),
  contact text CHECK (length(contact) BETWEEN 1 AND 300),
  officer text CHECK (length(officer) BETWEEN 1 AND 300),
  representative text CHECK (length(representative) BETWEEN 1 AND 300),
  authority text CHECK (length(authority) BETWEEN 1 AND 300),
  measuring_basis text CHECK (length(measuring_basis) BETWEEN 1 AND 1000),
  changed_at timestamptz NOT NULL,
  changed_by bigint NOT NULL,
  PRIMARY KEY (organisation_id, version)
);
COMMENT ON COLUMN organisation_identities.organisation_id IS 'D7 whose identity it is';
COMMENT ON COLUMN organisation_identities.version IS 'D7 number of the version; the last one holds';
COMMENT ON COLUMN organisation_identities.legal_name IS 'D7 full name of who is meant; public in documents';
COMMENT ON COLUMN organisation_identities.address IS 'D7 postal address; public in documents';
COMMENT ON COLUMN organisation_identities.jurisdiction IS 'D7 country whose law holds; public in documents';
COMMENT ON COLUMN organisation_identities.registration IS 'D7 register and number; public in documents';
COMMENT ON COLUMN organisation_identities.contact IS 'D7 where questions about data go; public in documents';
COMMENT ON COLUMN organisation_identities.officer IS 'D7 data protection officer, or why there is none; public in documents';
COMMENT ON COLUMN organisation_identities.representative IS 'D7 representative in the Union; public in documents';
COMMENT ON COLUMN organisation_identities.authority IS 'D7 supervisory authority; public in documents';
COMMENT ON COLUMN organisation_identities.measuring_basis IS 'D7 on what basis visits are measured; public in documents';
COMMENT ON COLUMN organisation_identities.changed_at IS 'D7 when it was entered';
COMMENT ON COLUMN organisation_identities.changed_by IS 'D7 number of who entered it';
ALTER TABLE organisation_identities ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON organisation_identities USING (organisation_id = current_organisation());
GRANT SELECT, INSERT ON organisation_identities TO fairlead_app;

CREATE TABLE operator_identities (
  version integer NOT NULL CHECK (version > 0),
  legal_name text CHECK (length(legal_name) BETWEEN 1 AND 200),
  address text CHECK (length(address) BETWEEN 1 AND 500),
  jurisdiction text CHECK (length(jurisdiction) BETWEEN 1 AND 120),
  registration text CHECK (length(registration) BETWEEN 1 AND 300),
  contact text CHECK (length(contact) BETWEEN 1 AND 300),
  officer text CHECK (length(officer) BETWEEN 1 AND 300),
  representative text CHECK (length(representative) BETWEEN 1 AND 300),
  authority text CHECK (length(authority) BETWEEN 1 AND 300),
  changed_at timestamptz NOT NULL,
  changed_by bigint NOT NULL,
  PRIMARY KEY (version)
);
COMMENT ON COLUMN operator_identities.version IS 'D7 number of the version; the last one holds';
COMMENT ON COLUMN operator_identities.legal_name IS 'D7 full name of who is meant; public in documents';
COMMENT ON COLUMN operator_identities.address IS 'D7 postal address; public in documents';
COMMENT ON COLUMN operator_identities.jurisdiction IS 'D7 country whose law holds; public in documents';
COMMENT ON COLUMN operator_identities.registration IS 'D7 register and number; public in documents';
COMMENT ON COLUMN operator_identities.contact IS 'D7 where questions about data go; public in documents';
COMMENT ON COLUMN operator_identities.officer IS 'D7 data protection officer, or why there is none; public in documents';
COMMENT ON COLUMN operator_identities.representative IS 'D7 representative in the Union; public in documents';
COMMENT ON COLUMN operator_identities.authority IS 'D7 supervisory authority; public in documents';
COMMENT ON COLUMN operator_identities.changed_at IS 'D7 when it was entered';
COMMENT ON COLUMN operator_identities.changed_by IS 'D7 number of who entered it';
GRANT SELECT, INSERT ON operator_identities TO fairlead_app;
