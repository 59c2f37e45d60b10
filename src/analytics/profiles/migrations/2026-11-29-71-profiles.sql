-- Who a site's pages have named by an explicit identify call, in storage mode only. What they are found by are keyed digests;
-- what they are called lies sealed under a key of their own. Events know them by the digest of the id that a browser keeps.
CREATE TABLE profiles (
  id text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{16}$'),
  organisation_id bigint NOT NULL,
  site_id bigint NOT NULL,
  traits_sealed bytea,
  first_seen timestamptz NOT NULL,
  last_seen timestamptz NOT NULL,
  UNIQUE (id, organisation_id),
  FOREIGN KEY (site_id, organisation_id) REFERENCES sites (id, organisation_id) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX profiles_of_a_site ON profiles (organisation_id, site_id, last_seen);
COMMENT ON COLUMN profiles.id IS 'D2 random number of the profile';
COMMENT ON COLUMN profiles.organisation_id IS 'D2 whose site';
COMMENT ON COLUMN profiles.site_id IS 'D2 the site that named them';
COMMENT ON COLUMN profiles.traits_sealed IS 'D4 user id, e-mail, name and picture as the site gave them, sealed under a key of this profile alone';
COMMENT ON COLUMN profiles.first_seen IS 'D2 first identify call';
COMMENT ON COLUMN profiles.last_seen IS 'D2 last identify call; what is older than the window of the site goes';

CREATE TABLE profile_digests (
  organisation_id bigint NOT NULL,
  site_id bigint NOT NULL,
  kind text NOT NULL CHECK (kind IN ('email', 'external-id')),
  digest bytea NOT NULL,
  profile_id text NOT NULL,
  PRIMARY KEY (site_id, kind, digest),
  FOREIGN KEY (profile_id, organisation_id) REFERENCES profiles (id, organisation_id) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX profile_digests_of_a_profile ON profile_digests (profile_id);
COMMENT ON COLUMN profile_digests.organisation_id IS 'D2 whose site';
COMMENT ON COLUMN profile_digests.site_id IS 'D2 the site that named them';
COMMENT ON COLUMN profile_digests.kind IS 'D2 what it is a digest of';
COMMENT ON COLUMN profile_digests.digest IS 'D2 keyed digest of a normalised address or user id, of this organisation alone';
COMMENT ON COLUMN profile_digests.profile_id IS 'D2 the profile that is found by it';

CREATE TABLE profile_visitors (
  organisation_id bigint NOT NULL,
  site_id bigint NOT NULL,
  visitor_id numeric(20) NOT NULL,
  profile_id text NOT NULL,
  linked_at timestamptz NOT NULL,
  PRIMARY KEY (site_id, visitor_id),
  FOREIGN KEY (profile_id, organisation_id) REFERENCES profiles (id, organisation_id) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX profile_visitors_of_a_profile ON profile_visitors (profile_id);
COMMENT ON COLUMN profile_visitors.organisation_id IS 'D2 whose site';
COMMENT ON COLUMN profile_visitors.site_id IS 'D2 the site of the visitor';
COMMENT ON COLUMN profile_visitors.visitor_id IS 'D2 visitor_id of events with stored_id';
COMMENT ON COLUMN profile_visitors.profile_id IS 'D2 whose browser it is';
COMMENT ON COLUMN profile_visitors.linked_at IS 'D2 when the call came that said so';

ALTER TABLE profiles ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE profile_digests ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE profile_visitors ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON profiles USING (organisation_id = current_organisation());
CREATE POLICY tenant ON profile_digests USING (organisation_id = current_organisation());
CREATE POLICY tenant ON profile_visitors USING (organisation_id = current_organisation());
GRANT SELECT, INSERT, DELETE ON profiles, profile_digests, profile_visitors TO fairlead_app;
GRANT UPDATE (traits_sealed, last_seen) ON profiles TO fairlead_app;
GRANT UPDATE (profile_id) ON profile_digests, profile_visitors TO fairlead_app;
