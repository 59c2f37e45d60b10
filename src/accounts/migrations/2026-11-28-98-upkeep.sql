-- Work over all rows of the warehouse that is done once: without a mark every start would look through them again.
CREATE TABLE upkeep (
  task text PRIMARY KEY CHECK (task IN ('former_contacts')),
  clean_at timestamptz NOT NULL,
  done_at timestamptz
);
COMMENT ON COLUMN upkeep.task IS 'D8 which work, a word of a closed list';
COMMENT ON COLUMN upkeep.clean_at IS 'D22 when nothing was found to do for the first time';
COMMENT ON COLUMN upkeep.done_at IS 'D22 when nothing was found again, after all that could still have come in; null until then';
GRANT SELECT, INSERT ON upkeep TO fairlead_app;
GRANT UPDATE (done_at) ON upkeep TO fairlead_app;
