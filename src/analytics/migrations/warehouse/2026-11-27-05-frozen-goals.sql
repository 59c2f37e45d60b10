-- Goals are frozen like any dimension ('event:goal', the value is kind:match), and revenue is frozen by currency in rows
-- of its own, whose other numbers are 0: a row of `daily` is added up, so that a reader of counts need not know of them.
ALTER TABLE {{table:daily}} ADD COLUMN IF NOT EXISTS currency LowCardinality(String) COMMENT 'D3 ISO 4217 of the revenue, empty in rows of counts' CODEC(ZSTD(1));
ALTER TABLE {{table:daily}} ADD COLUMN IF NOT EXISTS revenue Decimal(38, 3) COMMENT 'D3 revenue of the events in the piece' CODEC(ZSTD(1));
ALTER TABLE {{table:daily}} ADD COLUMN IF NOT EXISTS revenue_events UInt64 COMMENT 'D3 events with revenue' CODEC(T64, ZSTD(1));
{{altered:daily:ADD COLUMN IF NOT EXISTS currency LowCardinality(String) COMMENT 'D3 ISO 4217 of the revenue, empty in rows of counts'}};
{{altered:daily:ADD COLUMN IF NOT EXISTS revenue Decimal(38, 3) COMMENT 'D3 revenue of the events in the piece'}};
{{altered:daily:ADD COLUMN IF NOT EXISTS revenue_events UInt64 COMMENT 'D3 events with revenue'}};

-- A goal may be made or changed at any time; a day answers for those that it names here, the others are counted live.
ALTER TABLE {{table:frozen_days}} ADD COLUMN IF NOT EXISTS goals Array(String) COMMENT 'D3 goals whose conversions of the day are frozen, as kind:match' CODEC(ZSTD(1));
{{altered:frozen_days:ADD COLUMN IF NOT EXISTS goals Array(String) COMMENT 'D3 goals whose conversions of the day are frozen, as kind:match'}};
