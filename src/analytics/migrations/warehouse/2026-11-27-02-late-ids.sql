-- An id is remembered for a day from when it came. A late event's own time is older than that, so it says when it came;
-- every other event leaves this at 0, which costs nothing measurable.
ALTER TABLE {{table:events}} ADD COLUMN IF NOT EXISTS received DateTime('UTC') COMMENT 'D3 when a late event with an id came in, 0 for every other' CODEC(ZSTD(1));

{{altered:events:ADD COLUMN IF NOT EXISTS received DateTime('UTC') COMMENT 'D3 when a late event with an id came in, 0 for every other'}};

ALTER TABLE {{table:events}} MODIFY COLUMN event_key TTL greatest(toDateTime(time), received) + INTERVAL 1 DAY SETTINGS materialize_ttl_after_modify = 0;
