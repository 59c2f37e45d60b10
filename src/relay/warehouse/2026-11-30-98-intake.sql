-- Every request to a source of the relay, those that were refused too, without a value of what was in it.
CREATE TABLE {{table:relay_intake}}
(
    organisation_id UInt64 COMMENT 'D16 whose source' CODEC(T64, ZSTD(1)),
    source_id UInt64 COMMENT 'D16 the source' CODEC(T64, ZSTD(1)),
    at DateTime64(3, 'UTC') COMMENT 'D16 when it came' CODEC(Delta(8), ZSTD(1)),
    id UUID COMMENT 'D16 number of the request',
    status UInt16 COMMENT 'D16 what was answered' CODEC(T64, ZSTD(1)),
    reason LowCardinality(String) COMMENT 'D16 word of the closed list; empty = nothing to say' CODEC(ZSTD(1)),
    field LowCardinality(String) COMMENT 'D16 which field that is about' CODEC(ZSTD(1)),
    method LowCardinality(String) COMMENT 'D16 GET, POST or another' CODEC(ZSTD(1)),
    content_type LowCardinality(String) COMMENT 'D16 kind of the body' CODEC(ZSTD(1)),
    bytes UInt32 COMMENT 'D16 length of the body' CODEC(T64, ZSTD(1)),
    ms UInt32 COMMENT 'D16 how long it took to be taken in' CODEC(T64, ZSTD(1)),
    conversions UInt16 COMMENT 'D16 how many conversions were in it' CODEC(T64, ZSTD(1)),
    problems UInt16 COMMENT 'D16 how many problems it had' CODEC(T64, ZSTD(1)),
    body String COMMENT 'D16 the shape of the body, without its values' CODEC(ZSTD(3))
)
ENGINE = {{engine:MergeTree}}
PARTITION BY toYYYYMM(at)
ORDER BY (organisation_id, source_id, at)
TTL toDateTime(at) + INTERVAL 90 DAY
SETTINGS {{durable}}, ttl_only_drop_parts = 0;

{{distribute:relay_intake:cityHash64(organisation_id)}};
