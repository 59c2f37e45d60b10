-- Numbers per day that other products export. They are sums that no event stands behind, so they are kept apart and
-- added to what was measured only where a question can be answered from them (src/analytics/query/imported.ts).
-- `kind` says which columns are filled; an import is read by its number, which the registry in PostgreSQL hands out.
CREATE TABLE {{table:imported_days}}
(
    site_id UInt64 COMMENT 'D3 site' CODEC(ZSTD(1)),
    import_id UInt32 COMMENT 'D3 the import that brought the row' CODEC(ZSTD(1)),
    kind LowCardinality(String) COMMENT 'D3 what the row is about, a word of a closed list' CODEC(ZSTD(1)),
    day Date COMMENT 'D3 day in the zone of the site' CODEC(ZSTD(1)),
    hostname LowCardinality(String) COMMENT 'D3 host of the page' CODEC(ZSTD(1)),
    pathname String COMMENT 'D3 path of the page without query' CODEC(ZSTD(3)),
    entry_page String COMMENT 'D3 path of the first page of visits' CODEC(ZSTD(3)),
    exit_page String COMMENT 'D3 path of the last page of visits' CODEC(ZSTD(3)),
    source LowCardinality(String) COMMENT 'D3 name of the source, empty for direct' CODEC(ZSTD(1)),
    referrer String COMMENT 'D3 host and path of the referrer without query' CODEC(ZSTD(3)),
    channel LowCardinality(String) COMMENT 'D3 channel of the visits' CODEC(ZSTD(1)),
    utm_source LowCardinality(String) COMMENT 'D3 campaign parameter' CODEC(ZSTD(1)),
    utm_medium LowCardinality(String) COMMENT 'D3 campaign parameter' CODEC(ZSTD(1)),
    utm_campaign LowCardinality(String) COMMENT 'D3 campaign parameter' CODEC(ZSTD(1)),
    utm_term LowCardinality(String) COMMENT 'D3 campaign parameter' CODEC(ZSTD(1)),
    utm_content LowCardinality(String) COMMENT 'D3 campaign parameter' CODEC(ZSTD(1)),
    country LowCardinality(String) COMMENT 'D3 ISO 3166-1 alpha-2' CODEC(ZSTD(1)),
    region LowCardinality(String) COMMENT 'D3 ISO 3166-2 code or name' CODEC(ZSTD(1)),
    city LowCardinality(String) COMMENT 'D3 name of the city' CODEC(ZSTD(1)),
    device LowCardinality(String) COMMENT 'D3 class of device' CODEC(ZSTD(1)),
    browser LowCardinality(String) COMMENT 'D3 browser name' CODEC(ZSTD(1)),
    browser_version LowCardinality(String) COMMENT 'D3 browser version' CODEC(ZSTD(1)),
    os LowCardinality(String) COMMENT 'D3 name of the operating system' CODEC(ZSTD(1)),
    os_version LowCardinality(String) COMMENT 'D3 version of the operating system' CODEC(ZSTD(1)),
    name LowCardinality(String) COMMENT 'D3 name of the custom event' CODEC(ZSTD(1)),
    link_url String COMMENT 'D3 address of the link that the event is about' CODEC(ZSTD(3)),
    link_path String COMMENT 'D3 path that the event is about' CODEC(ZSTD(3)),
    visitors UInt64 COMMENT 'D3 visitors of the day' CODEC(T64, ZSTD(1)),
    visits UInt64 COMMENT 'D3 visits' CODEC(T64, ZSTD(1)),
    bounces UInt64 COMMENT 'D3 visits that bounced' CODEC(T64, ZSTD(1)),
    duration UInt64 COMMENT 'D3 seconds of all visits' CODEC(T64, ZSTD(1)),
    pageviews UInt64 COMMENT 'D3 page views' CODEC(T64, ZSTD(1)),
    events UInt64 COMMENT 'D3 events; page views where the export counts no others' CODEC(T64, ZSTD(1)),
    scroll UInt64 COMMENT 'D3 per cent, the deepest of each visit to the page added up' CODEC(T64, ZSTD(1)),
    scroll_visits UInt64 COMMENT 'D3 visits with a depth' CODEC(T64, ZSTD(1)),
    engagement UInt64 COMMENT 'D3 milliseconds of attention' CODEC(T64, ZSTD(1)),
    engaged_visits UInt64 COMMENT 'D3 visits with attention' CODEC(T64, ZSTD(1))
)
ENGINE = {{engine:MergeTree}}
ORDER BY (site_id, kind, import_id, day)
SETTINGS {{durable}};

{{distribute:imported_days:cityHash64(site_id)}};
