-- What the visitor allowed when the event came in, read from every signal there was (trust/consent/snapshot.ts). It holds
-- states, the kind of signal and a region, and no text that anybody sent: a TC string would know a visitor again.
ALTER TABLE {{table:events}} ADD COLUMN IF NOT EXISTS consent LowCardinality(String) COMMENT 'D3 states, sources, region and signals of consent when the event came in, empty in files of other products';

{{altered:events:ADD COLUMN IF NOT EXISTS consent LowCardinality(String) COMMENT 'D3 states, sources, region and signals of consent when the event came in, empty in files of other products'}};
