-- Browsers of people whose data is restricted: what they send is counted without an id that lasts. And values of profiles that
-- were put right: a page that goes on saying the wrong one changes nothing.
CREATE TABLE restricted_visitors (
  organisation_id bigint NOT NULL,
  site_id bigint NOT NULL,
  visitor_id numeric(20) NOT NULL,
  restriction_id bigint NOT NULL REFERENCES restrictions ON DELETE CASCADE,
  PRIMARY KEY (site_id, visitor_id, restriction_id),
  FOREIGN KEY (site_id, organisation_id) REFERENCES sites (id, organisation_id) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX restricted_visitors_of_a_restriction ON restricted_visitors (restriction_id);
COMMENT ON COLUMN restricted_visitors.organisation_id IS 'D25 whose site';
COMMENT ON COLUMN restricted_visitors.site_id IS 'D25 the site of the browser';
COMMENT ON COLUMN restricted_visitors.visitor_id IS 'D25 digest of the id that the browser keeps, so that it is not recognised';
COMMENT ON COLUMN restricted_visitors.restriction_id IS 'D25 the restriction that is in force';

CREATE TABLE profile_corrections (
  organisation_id bigint NOT NULL,
  site_id bigint NOT NULL,
  profile_id text NOT NULL,
  field text NOT NULL CHECK (field IN ('id', 'email', 'name', 'avatar')),
  was_digest bytea NOT NULL,
  PRIMARY KEY (profile_id, field, was_digest),
  FOREIGN KEY (profile_id, organisation_id) REFERENCES profiles (id, organisation_id) ON DELETE CASCADE ON UPDATE CASCADE
);
COMMENT ON COLUMN profile_corrections.organisation_id IS 'D2 whose site';
COMMENT ON COLUMN profile_corrections.site_id IS 'D2 the site of the profile';
COMMENT ON COLUMN profile_corrections.profile_id IS 'D2 the profile that was put right';
COMMENT ON COLUMN profile_corrections.field IS 'D2 which of its values';
COMMENT ON COLUMN profile_corrections.was_digest IS 'D2 keyed digest of the value that was wrong';

ALTER TABLE restricted_visitors ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE profile_corrections ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON restricted_visitors USING (organisation_id = current_organisation());
CREATE POLICY tenant ON profile_corrections USING (organisation_id = current_organisation());
GRANT SELECT, INSERT, DELETE ON restricted_visitors, profile_corrections TO fairlead_app;
GRANT UPDATE (profile_id) ON profile_corrections TO fairlead_app;
