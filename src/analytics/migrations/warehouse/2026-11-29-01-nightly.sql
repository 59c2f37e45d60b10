-- What ends by age ends in the nightly run (src/trust/windows), which leaves alone what a legal hold keeps and writes a
-- receipt. The engine's own clock would do neither.
ALTER TABLE {{table:drops}} REMOVE TTL;

ALTER TABLE {{table:bot_events}} REMOVE TTL;
