-- What anybody reports by the public form is a draft too: it is no incident, and begins no clock, before somebody judges it.
ALTER TABLE incident_drafts ADD COLUMN said_sealed bytea, ADD COLUMN reach_sealed bytea, ADD COLUMN happened_on date,
  ADD COLUMN came_told_at timestamptz;
ALTER TABLE incident_drafts
  ADD CHECK ((kind = 'concern') = (said_sealed IS NOT NULL)),
  ADD CHECK (kind = 'concern' OR (reach_sealed IS NULL AND happened_on IS NULL)),
  ADD CHECK (dismissed_because IS NULL OR reach_sealed IS NULL);
CREATE INDEX incident_drafts_of_an_incident ON incident_drafts (organisation_id, incident_id) WHERE incident_id IS NOT NULL;
COMMENT ON COLUMN incident_drafts.said_sealed IS 'D7 what somebody reported by the form, sealed under a key of the organisation';
COMMENT ON COLUMN incident_drafts.reach_sealed IS 'D4 the address of who reported it, sealed; gone once it is no incident, or the incident is closed';
COMMENT ON COLUMN incident_drafts.happened_on IS 'D7 the day on which it happened, as who reported it says';
COMMENT ON COLUMN incident_drafts.came_told_at IS 'D7 when it was told that it came by the form';
GRANT UPDATE (reach_sealed, came_told_at) ON incident_drafts TO fairlead_app;
