-- How many requests a source takes in a minute; as it is made, as many as come.
ALTER TABLE relay_sources ADD COLUMN requests_per_minute integer CHECK (requests_per_minute BETWEEN 1 AND 1000000);
COMMENT ON COLUMN relay_sources.requests_per_minute IS 'D7 how many requests it takes in a minute; null = as many as come';
