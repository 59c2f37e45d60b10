-- The secret before: what is posted is signed with it too until the receiver knows the new one.
ALTER TABLE alert_hooks
  ADD COLUMN former_secret_sealed bytea,
  ADD COLUMN former_secret_until timestamptz,
  ADD CHECK ((former_secret_sealed IS NULL) = (former_secret_until IS NULL));
COMMENT ON COLUMN alert_hooks.former_secret_sealed IS 'D9 the secret before, sealed';
COMMENT ON COLUMN alert_hooks.former_secret_until IS 'D7 until when that signs too';
