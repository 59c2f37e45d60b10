-- Which visitors keep an id of ours in their browser (storage mode). Their visitor_id is a hash of site and that id, the
-- same on every day; nobody else's is, so only these rows may ever be looked at by visitor. 0 costs nothing measurable.
ALTER TABLE {{table:events}} ADD COLUMN IF NOT EXISTS stored_id UInt8 COMMENT 'D2 1 = visitor_id comes from an id that the browser keeps, as the visitor agreed' CODEC(ZSTD(1));

{{altered:events:ADD COLUMN IF NOT EXISTS stored_id UInt8 COMMENT 'D2 1 = visitor_id comes from an id that the browser keeps, as the visitor agreed'}};
