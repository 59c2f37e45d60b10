-- Files and goals bring conversions too, and what a rate limit refuses is one line a minute.
ALTER TABLE {{table:relay_intake}} ADD COLUMN IF NOT EXISTS way LowCardinality(String) DEFAULT 'request' COMMENT 'D16 how it came: request, upload or goal' CODEC(ZSTD(1));
{{altered:relay_intake:ADD COLUMN IF NOT EXISTS way LowCardinality(String) DEFAULT 'request' COMMENT 'D16 how it came: request, upload or goal' CODEC(ZSTD(1))}};
ALTER TABLE {{table:relay_intake}} ADD COLUMN IF NOT EXISTS requests UInt32 DEFAULT 1 COMMENT 'D16 how many requests it stands for: those of a minute that the rate limit refused' CODEC(T64, ZSTD(1));
{{altered:relay_intake:ADD COLUMN IF NOT EXISTS requests UInt32 DEFAULT 1 COMMENT 'D16 how many requests it stands for: those of a minute that the rate limit refused' CODEC(T64, ZSTD(1))}};
-- A file has more rows than a request.
ALTER TABLE {{table:relay_intake}} MODIFY COLUMN conversions UInt32 COMMENT 'D16 how many conversions were in it' CODEC(T64, ZSTD(1));
{{altered:relay_intake:MODIFY COLUMN conversions UInt32 COMMENT 'D16 how many conversions were in it' CODEC(T64, ZSTD(1))}};
ALTER TABLE {{table:relay_intake}} MODIFY COLUMN problems UInt32 COMMENT 'D16 how many problems it had' CODEC(T64, ZSTD(1));
{{altered:relay_intake:MODIFY COLUMN problems UInt32 COMMENT 'D16 how many problems it had' CODEC(T64, ZSTD(1))}};
