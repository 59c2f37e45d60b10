-- Links from one host of a site to another that were followed: each is good once, whichever collector is asked. A row is the digest of a
-- text that nobody made before and nobody will make again, and lives five minutes.
CREATE TABLE taken_links (
  digest bytea PRIMARY KEY CHECK (length(digest) = 32),
  expires_at timestamptz NOT NULL
);
CREATE INDEX taken_links_expiry ON taken_links (expires_at);
COMMENT ON COLUMN taken_links.digest IS 'D2 keyed digest of the sealed parameter of one link';
COMMENT ON COLUMN taken_links.expires_at IS 'D2 when the link would be over anyway; the row is deleted within a minute after';
GRANT SELECT, INSERT, DELETE ON taken_links TO fairlead_app;
