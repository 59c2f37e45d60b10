-- Goals of the web analytics as a source: what of a visitor its conversions may have, each of them only where consent allows it.

ALTER TABLE relay_sources
  ADD COLUMN click_ids boolean NOT NULL DEFAULT false,
  ADD COLUMN ip_and_agent boolean NOT NULL DEFAULT false,
  ADD CONSTRAINT relay_sources_of_goals CHECK (kind = 'goals' OR NOT (click_ids OR ip_and_agent));
COMMENT ON COLUMN relay_sources.click_ids IS 'D7 do its conversions have the click ids of their visits';
COMMENT ON COLUMN relay_sources.ip_and_agent IS 'D7 do they have the address and the agent of the visitor''s browser';
