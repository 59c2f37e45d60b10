-- More kinds of shields: hostnames to block, referrers of one's own list, and events a second.
ALTER TABLE shields
  DROP CONSTRAINT shields_kind_check,
  ADD CONSTRAINT shields_kind_check
    CHECK (kind IN ('hostname', 'blocked_hostname', 'path', 'country', 'address', 'referrer', 'rate')),
  ADD CONSTRAINT shields_rate_check CHECK (kind <> 'rate' OR pattern ~ '^[1-9][0-9]{0,6}$');
-- Two rates at once would be a riddle: a new one takes the place of the one before.
CREATE UNIQUE INDEX shields_one_rate ON shields (organisation_id, site_id) WHERE kind = 'rate';
COMMENT ON COLUMN shields.kind IS 'D7 what it looks at: hostname (only these), blocked_hostname, path, country, address, referrer or rate';
COMMENT ON COLUMN shields.pattern IS 'D7 a glob, an ISO 3166-1 country code, a host, or events a second';
COMMENT ON COLUMN shields.digest IS 'D25 HMAC-SHA-256 of one address, or of the first half of an IPv6 address, keyed outside the database';
COMMENT ON COLUMN shields.created_by IS 'D7 who set it up; null when an API key did';
