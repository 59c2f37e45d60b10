-- What is stored of a hit. One row per event, the columns of src/analytics/event_row.ts.
-- The order puts a visitor's events of a day side by side: the attributes that are frozen per visit then repeat and
-- cost next to nothing (docs/decisions/2026-11-25-warehouse-schema.md has the bytes of every column).
CREATE TABLE {{table:events}}
(
    site_id UInt64 COMMENT 'D3 site that the event belongs to',
    time DateTime64(3, 'UTC') COMMENT 'D3 server time of the event' CODEC(Delta(8), ZSTD(1)),
    name LowCardinality(String) COMMENT 'D3 pageview, engagement, or the name of a custom event' CODEC(ZSTD(1)),
    visitor_id UInt64 COMMENT 'D2 salted digest of one UTC day, cut to 64 bits' CODEC(ZSTD(1)),
    visit_id UInt64 COMMENT 'D2 random number of the visit' CODEC(ZSTD(1)),
    id_day Date COMMENT 'D3 UTC day whose salt made visitor_id' CODEC(ZSTD(1)),
    visit_start DateTime64(3, 'UTC') COMMENT 'D3 time of the first event of the visit' CODEC(Delta(8), ZSTD(1)),
    detached UInt8 COMMENT 'D3 1 = stored without visit handling' CODEC(ZSTD(1)),
    hostname LowCardinality(String) COMMENT 'D3 host of the page' CODEC(ZSTD(1)),
    pathname String COMMENT 'D3 path of the page without query' CODEC(ZSTD(3)),
    title String COMMENT 'D3 title of the page, unless the site has switched it off' CODEC(ZSTD(3)),
    referrer String COMMENT 'D3 host and path of the referrer without query' CODEC(ZSTD(3)),
    source LowCardinality(String) COMMENT 'D3 name of the source, empty for direct' CODEC(ZSTD(1)),
    utm_source LowCardinality(String) COMMENT 'D3 campaign parameter' CODEC(ZSTD(1)),
    utm_medium LowCardinality(String) COMMENT 'D3 campaign parameter' CODEC(ZSTD(1)),
    utm_campaign LowCardinality(String) COMMENT 'D3 campaign parameter' CODEC(ZSTD(1)),
    utm_term LowCardinality(String) COMMENT 'D3 campaign parameter' CODEC(ZSTD(1)),
    utm_content LowCardinality(String) COMMENT 'D3 campaign parameter' CODEC(ZSTD(1)),
    click_id LowCardinality(String) COMMENT 'D3 kind of the ad-click id, never its value' CODEC(ZSTD(1)),
    channel LowCardinality(String) COMMENT 'D3 channel of the visit' CODEC(ZSTD(1)),
    entry_hostname LowCardinality(String) COMMENT 'D3 host of the first page view of the visit' CODEC(ZSTD(1)),
    entry_page String COMMENT 'D3 path of the first page view of the visit' CODEC(ZSTD(3)),
    browser LowCardinality(String) COMMENT 'D3 browser name' CODEC(ZSTD(1)),
    browser_version LowCardinality(String) COMMENT 'D3 browser version' CODEC(ZSTD(1)),
    os LowCardinality(String) COMMENT 'D3 name of the operating system' CODEC(ZSTD(1)),
    os_version LowCardinality(String) COMMENT 'D3 version of the operating system' CODEC(ZSTD(1)),
    device LowCardinality(String) COMMENT 'D3 Desktop, Mobile or Tablet' CODEC(ZSTD(1)),
    screen LowCardinality(String) COMMENT 'D3 width and height of the screen' CODEC(ZSTD(1)),
    country LowCardinality(String) COMMENT 'D3 ISO 3166-1 alpha-2' CODEC(ZSTD(1)),
    region LowCardinality(String) COMMENT 'D3 ISO 3166-2 code or name' CODEC(ZSTD(1)),
    city LowCardinality(String) COMMENT 'D3 name of the city' CODEC(ZSTD(1)),
    latitude Decimal(4, 1) COMMENT 'D3 degrees to one decimal' CODEC(ZSTD(1)),
    longitude Decimal(4, 1) COMMENT 'D3 degrees to one decimal' CODEC(ZSTD(1)),
    props Map(LowCardinality(String), String) COMMENT 'D3 custom properties of the event' CODEC(ZSTD(3)),
    revenue_amount Decimal(18, 3) COMMENT 'D3 revenue of the event' CODEC(ZSTD(1)),
    revenue_currency LowCardinality(String) COMMENT 'D3 ISO 4217, empty without revenue' CODEC(ZSTD(1)),
    order_id String COMMENT 'D3 order id given with the revenue' CODEC(ZSTD(3)),
    interactive UInt8 COMMENT 'D3 0 = does not cancel a bounce' CODEC(ZSTD(1)),
    scroll_depth UInt8 DEFAULT 255 COMMENT 'D3 percent of the page seen, 255 = not measured' CODEC(ZSTD(1)),
    engagement_ms UInt32 COMMENT 'D3 milliseconds of attention' CODEC(ZSTD(1)),
    import_id UInt32 COMMENT 'D3 the import that brought the row, 0 = live' CODEC(ZSTD(1)),
    event_key UInt64 COMMENT 'D2 hash of site and client event id, forgotten after a day' CODEC(ZSTD(1)) TTL toDateTime(time) + INTERVAL 1 DAY,
    -- A detached event may be older than the id it got, so the day of identity is not the partition's.
    INDEX by_id_day id_day TYPE minmax GRANULARITY 1
)
ENGINE = {{engine:MergeTree}}
PARTITION BY toYYYYMM(time)
ORDER BY (site_id, toDate(time), visitor_id, time)
SETTINGS {{durable}}, merge_with_ttl_timeout = 86400;

{{distribute:events:cityHash64(site_id, visitor_id)}};

-- One row per visit, once its day has been merged; until then a few rows that add up to it. Everything that ingest
-- has frozen is the same on all of them, so `any` may take either; what grows is a sum, a minimum or a maximum.
-- `exit` is the last page view: tuples compare from the left, so the greatest offset wins and carries its page along.
-- `materialize` keeps the tuple whole until it is merged: reading its path alone under FINAL took the greatest path.
CREATE TABLE {{table:visits}}
(
    site_id UInt64 COMMENT 'D3 site that the visit belongs to',
    day Date COMMENT 'D3 UTC day on which the visit began' CODEC(ZSTD(1)),
    visitor_id UInt64 COMMENT 'D2 salted digest of one UTC day, cut to 64 bits' CODEC(ZSTD(1)),
    visit_id UInt64 COMMENT 'D2 random number of the visit' CODEC(ZSTD(1)),
    id_day SimpleAggregateFunction(any, Date) COMMENT 'D3 UTC day whose salt made visitor_id' CODEC(ZSTD(1)),
    started SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'D3 time of the first event' CODEC(Delta(8), ZSTD(1)),
    ended SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'D3 time of the last event' CODEC(Delta(8), ZSTD(1)),
    pageviews SimpleAggregateFunction(sum, UInt64) COMMENT 'D3 page views' CODEC(T64, ZSTD(1)),
    events SimpleAggregateFunction(sum, UInt64) COMMENT 'D3 events without engagement' CODEC(T64, ZSTD(1)),
    counting SimpleAggregateFunction(sum, UInt64) COMMENT 'D3 page views and interactive events, at most one is a bounce' CODEC(T64, ZSTD(1)),
    engagement_ms SimpleAggregateFunction(sum, UInt64) COMMENT 'D3 milliseconds of attention' CODEC(T64, ZSTD(1)),
    counted SimpleAggregateFunction(max, UInt8) COMMENT 'D3 0 = a detached event, which is nobody''s visit' CODEC(ZSTD(1)),
    entry_hostname SimpleAggregateFunction(max, LowCardinality(String)) COMMENT 'D3 host of the first page view' CODEC(ZSTD(1)),
    entry_page SimpleAggregateFunction(max, String) COMMENT 'D3 path of the first page view' CODEC(ZSTD(3)),
    exit SimpleAggregateFunction(max, Tuple(offset_ms UInt32, hostname String, pathname String)) COMMENT 'D3 last page view: milliseconds after the start, host, path' CODEC(ZSTD(1)),
    exit_hostname String ALIAS tupleElement(materialize(exit), 'hostname') COMMENT 'D3 host of the last page view',
    exit_page String ALIAS tupleElement(materialize(exit), 'pathname') COMMENT 'D3 path of the last page view',
    referrer SimpleAggregateFunction(any, String) COMMENT 'D3 host and path of the referrer without query' CODEC(ZSTD(3)),
    source SimpleAggregateFunction(any, LowCardinality(String)) COMMENT 'D3 name of the source, empty for direct' CODEC(ZSTD(1)),
    utm_source SimpleAggregateFunction(any, LowCardinality(String)) COMMENT 'D3 campaign parameter' CODEC(ZSTD(1)),
    utm_medium SimpleAggregateFunction(any, LowCardinality(String)) COMMENT 'D3 campaign parameter' CODEC(ZSTD(1)),
    utm_campaign SimpleAggregateFunction(any, LowCardinality(String)) COMMENT 'D3 campaign parameter' CODEC(ZSTD(1)),
    utm_term SimpleAggregateFunction(any, LowCardinality(String)) COMMENT 'D3 campaign parameter' CODEC(ZSTD(1)),
    utm_content SimpleAggregateFunction(any, LowCardinality(String)) COMMENT 'D3 campaign parameter' CODEC(ZSTD(1)),
    click_id SimpleAggregateFunction(any, LowCardinality(String)) COMMENT 'D3 kind of the ad-click id, never its value' CODEC(ZSTD(1)),
    channel SimpleAggregateFunction(any, LowCardinality(String)) COMMENT 'D3 channel of the visit' CODEC(ZSTD(1)),
    browser SimpleAggregateFunction(any, LowCardinality(String)) COMMENT 'D3 browser name' CODEC(ZSTD(1)),
    browser_version SimpleAggregateFunction(any, LowCardinality(String)) COMMENT 'D3 browser version' CODEC(ZSTD(1)),
    os SimpleAggregateFunction(any, LowCardinality(String)) COMMENT 'D3 name of the operating system' CODEC(ZSTD(1)),
    os_version SimpleAggregateFunction(any, LowCardinality(String)) COMMENT 'D3 version of the operating system' CODEC(ZSTD(1)),
    device SimpleAggregateFunction(any, LowCardinality(String)) COMMENT 'D3 Desktop, Mobile or Tablet' CODEC(ZSTD(1)),
    screen SimpleAggregateFunction(any, LowCardinality(String)) COMMENT 'D3 width and height of the screen' CODEC(ZSTD(1)),
    country SimpleAggregateFunction(any, LowCardinality(String)) COMMENT 'D3 ISO 3166-1 alpha-2' CODEC(ZSTD(1)),
    region SimpleAggregateFunction(any, LowCardinality(String)) COMMENT 'D3 ISO 3166-2 code or name' CODEC(ZSTD(1)),
    city SimpleAggregateFunction(any, LowCardinality(String)) COMMENT 'D3 name of the city' CODEC(ZSTD(1)),
    import_id SimpleAggregateFunction(any, UInt32) COMMENT 'D3 the import that brought the visit, 0 = live' CODEC(ZSTD(1)),
    INDEX by_id_day id_day TYPE minmax GRANULARITY 1
)
ENGINE = {{engine:AggregatingMergeTree}}
PARTITION BY day
ORDER BY (site_id, day, visitor_id, visit_id)
SETTINGS {{durable}};

{{distribute:visits:cityHash64(site_id, visitor_id)}};

-- Each event becomes a row that merges into its visit. There is no GROUP BY here: events of one visit seldom come in the
-- same second, the engine merges those of one insert anyway, and aggregating first took 50 ms more per 20,000 events.
CREATE MATERIALIZED VIEW {{table:visits_from_events}} TO {{local:visits}} AS
SELECT
    site_id,
    toDate(visit_start) AS day,
    visitor_id,
    visit_id,
    id_day,
    time AS started,
    time AS ended,
    toUInt64(name = 'pageview') AS pageviews,
    toUInt64(name != 'engagement') AS events,
    toUInt64(name = 'pageview' OR (interactive = 1 AND name != 'engagement')) AS counting,
    toUInt64(engagement_ms) AS engagement_ms,
    toUInt8(detached = 0) AS counted,
    entry_hostname,
    entry_page,
    -- The shift by one keeps a page view at the very start above "no page view yet", which is (0, '', '').
    if(name = 'pageview',
        (toUInt32(least(greatest(dateDiff('millisecond', visit_start, time), 0) + 1, 4294967295)), toString(hostname), pathname),
        (0::UInt32, '', '')) AS exit,
    referrer,
    source,
    utm_source,
    utm_medium,
    utm_campaign,
    utm_term,
    utm_content,
    click_id,
    channel,
    browser,
    browser_version,
    os,
    os_version,
    device,
    screen,
    country,
    region,
    city,
    import_id
FROM {{local:events}};

-- How many events of a day of identity have ever come in. The frozen counts of a day remember this number: when it has
-- grown, rows came late and the day is counted again (src/analytics/history).
CREATE TABLE {{table:arrivals}}
(
    site_id UInt64 COMMENT 'D3 site',
    id_day Date COMMENT 'D3 UTC day whose salt made the visitor ids' CODEC(ZSTD(1)),
    events UInt64 COMMENT 'D3 rows that came in' CODEC(T64, ZSTD(1))
)
ENGINE = {{engine:SummingMergeTree(events)}}
ORDER BY (site_id, id_day)
SETTINGS {{durable}};

{{distribute:arrivals:cityHash64(site_id)}};

CREATE MATERIALIZED VIEW {{table:arrivals_from_events}} TO {{local:arrivals}} AS
SELECT site_id, id_day, count() AS events
FROM {{local:events}}
GROUP BY site_id, id_day;

-- Events that were not stored, by reason. Rows of one minute, site and reason add up, on disk too.
CREATE TABLE {{table:drops}}
(
    site_id UInt64 COMMENT 'D16 site, 0 = none was found',
    minute DateTime('UTC') COMMENT 'D16 start of the minute' CODEC(Delta(4), ZSTD(1)),
    reason LowCardinality(String) COMMENT 'D16 word of the closed list' CODEC(ZSTD(1)),
    events UInt64 COMMENT 'D16 how many events' CODEC(T64, ZSTD(1))
)
ENGINE = {{engine:SummingMergeTree(events)}}
PARTITION BY toYYYYMM(minute)
ORDER BY (site_id, minute, reason)
TTL minute + INTERVAL 12 MONTH
SETTINGS {{durable}};

{{distribute:drops:cityHash64(site_id)}};

-- Robots, kept apart so that no other question ever has to leave them out.
CREATE TABLE {{table:bot_events}}
(
    site_id UInt64 COMMENT 'D3 site that was asked for',
    time DateTime64(3, 'UTC') COMMENT 'D3 server time' CODEC(Delta(8), ZSTD(1)),
    rule LowCardinality(String) COMMENT 'D3 rule that knew the robot' CODEC(ZSTD(1)),
    agent LowCardinality(String) COMMENT 'D3 name of the robot on our list, never text from the request' CODEC(ZSTD(1)),
    name LowCardinality(String) COMMENT 'D3 event name' CODEC(ZSTD(1)),
    hostname LowCardinality(String) COMMENT 'D3 host of the page' CODEC(ZSTD(1)),
    pathname String COMMENT 'D3 path of the page without query' CODEC(ZSTD(3)),
    referrer String COMMENT 'D3 host and path of the referrer without query' CODEC(ZSTD(3)),
    country LowCardinality(String) COMMENT 'D3 ISO 3166-1 alpha-2' CODEC(ZSTD(1))
)
ENGINE = {{engine:MergeTree}}
PARTITION BY toYYYYMM(time)
ORDER BY (site_id, time)
TTL toDateTime(time) + INTERVAL 90 DAY
SETTINGS {{durable}}, ttl_only_drop_parts = 0;

{{distribute:bot_events:cityHash64(site_id)}};
