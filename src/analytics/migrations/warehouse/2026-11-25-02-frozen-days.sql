-- Exact counts of closed days, so that a range over months reads a few rows a day. Written by src/analytics/history,
-- which also says what each number means; read together with `frozen_days` only.
-- `id_day` is the UTC day whose salt made the ids: they are disjoint from the ids of every other day, so counts of
-- visitors add up over it. `local_day` = 1970-01-01 is the whole of that day; any other date is the piece of it that
-- fell on that date in the site's timezone.
CREATE TABLE {{table:daily}}
(
    site_id UInt64 COMMENT 'D3 site' CODEC(ZSTD(1)),
    id_day Date COMMENT 'D3 UTC day whose salt made the visitor ids' CODEC(ZSTD(1)),
    local_day Date COMMENT 'D3 local date of the piece, 1970-01-01 = the whole day' CODEC(ZSTD(1)),
    dimension LowCardinality(String) COMMENT 'D3 name of the dimension, empty = totals' CODEC(ZSTD(1)),
    value String COMMENT 'D3 value of the dimension' CODEC(ZSTD(3)),
    visitors UInt64 COMMENT 'D3 distinct visitors with an event in the piece' CODEC(T64, ZSTD(1)),
    visits UInt64 COMMENT 'D3 visits that began in the piece' CODEC(T64, ZSTD(1)),
    bounces UInt64 COMMENT 'D3 of these, visits with at most one counting event' CODEC(T64, ZSTD(1)),
    duration_s UInt64 COMMENT 'D3 seconds of these visits, bounces left out' CODEC(T64, ZSTD(1)),
    pageviews UInt64 COMMENT 'D3 page views in the piece' CODEC(T64, ZSTD(1)),
    events UInt64 COMMENT 'D3 events in the piece without engagement' CODEC(T64, ZSTD(1)),
    engagement_ms UInt64 COMMENT 'D3 milliseconds of attention in the piece' CODEC(T64, ZSTD(1)),
    engaged_visits UInt64 COMMENT 'D3 visits with attention for the page' CODEC(T64, ZSTD(1)),
    scroll_sum UInt64 COMMENT 'D3 per cent, the deepest of each visit to the page added up' CODEC(T64, ZSTD(1)),
    scroll_visits UInt64 COMMENT 'D3 visits with a depth for the page' CODEC(T64, ZSTD(1))
)
ENGINE = {{engine:MergeTree}}
PARTITION BY toYYYYMM(id_day)
ORDER BY (site_id, dimension, id_day, local_day, value)
SETTINGS {{durable}};

{{distribute:daily:cityHash64(site_id)}};

-- Which days of which site are frozen. A change of state is a new row; the highest version counts.
CREATE TABLE {{table:frozen_days}}
(
    site_id UInt64 COMMENT 'D3 site',
    id_day Date COMMENT 'D3 UTC day whose salt made the visitor ids' CODEC(ZSTD(1)),
    version UInt64 COMMENT 'D3 order of the changes' CODEC(ZSTD(1)),
    state LowCardinality(String) COMMENT 'D3 frozen, or dirty: to be counted again' CODEC(ZSTD(1)),
    reason LowCardinality(String) COMMENT 'D3 why it is dirty, a word of a closed list' CODEC(ZSTD(1)),
    timezone LowCardinality(String) COMMENT 'D3 zone that its pieces were cut by' CODEC(ZSTD(1)),
    recipe UInt16 COMMENT 'D3 which rules of counting it was frozen by' CODEC(ZSTD(1)),
    arrivals UInt64 COMMENT 'D3 events that had come in when it was counted' CODEC(ZSTD(1)),
    pieces Array(Date) COMMENT 'D3 local dates that its events fell on' CODEC(ZSTD(1)),
    left_out Array(LowCardinality(String)) COMMENT 'D3 dimensions with too many values to be frozen' CODEC(ZSTD(1))
)
ENGINE = {{engine:ReplacingMergeTree(version)}}
ORDER BY (site_id, id_day)
SETTINGS {{durable}};

{{distribute:frozen_days:cityHash64(site_id)}};
