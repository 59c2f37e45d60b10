-- What came before somebody had everything deleted and is stored only afterwards (it lay in the spool, or its upload ran) is part of
-- that: the loader drops it, and its receipt says how much it was.
ALTER TABLE relay_deletions ADD COLUMN on_the_way integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN relay_deletions.on_the_way IS 'D22 conversions and requests that had been accepted and not stored yet, dropped as they were to be';
CREATE INDEX relay_deletions_of_everything ON relay_deletions (organisation_id, id DESC) WHERE what = 'everything';
