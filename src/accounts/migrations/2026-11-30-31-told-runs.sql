-- Who has to hear of what turned red is told after the run was stored: a desk that was killed in between tells it later.
ALTER TABLE self_audits ADD COLUMN told_at timestamptz;
UPDATE self_audits SET told_at = made_at;
COMMENT ON COLUMN self_audits.told_at IS 'D16 when everybody was told of what turned red, if anything did';
GRANT UPDATE (told_at) ON self_audits TO fairlead_app;
