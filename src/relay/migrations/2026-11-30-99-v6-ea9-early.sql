-- A request that says of something that it is still to happen is taken once more when that may be past: the clock that it was held
-- against may have been wrong, its sender's or the desk's own.
ALTER TABLE relay_captures ADD COLUMN again_at timestamptz;
COMMENT ON COLUMN relay_captures.again_at IS 'D16 when it is tried again by the same mapping; null = by another one alone';
