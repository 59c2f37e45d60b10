-- What became of the copy in an object store, where the settings name one.
ALTER TABLE backups
  ADD COLUMN remote_state text CHECK (remote_state IN ('sending', 'done', 'failed', 'removed')),
  ADD COLUMN remote_tried_at timestamptz,
  ADD COLUMN remote_problem text CHECK (length(remote_problem) <= 1000);
COMMENT ON COLUMN backups.remote_state IS 'D16 of its copy in the object store: sending, done, failed, or removed when its days were over; null = none is asked for';
COMMENT ON COLUMN backups.remote_tried_at IS 'D16 when it was last sent, or tried';
COMMENT ON COLUMN backups.remote_problem IS 'D16 why it was not sent, one sentence';
