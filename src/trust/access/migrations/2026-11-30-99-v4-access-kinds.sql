-- Addresses of sources let whoever has them send, and connections let this desk into an account elsewhere.
ALTER TABLE access_decisions DROP CONSTRAINT access_decisions_kind_check;
ALTER TABLE access_decisions ADD CONSTRAINT access_decisions_kind_check
  CHECK (kind IN ('member', 'invitation', 'role', 'key', 'share', 'source', 'connection')) NOT VALID;
COMMENT ON COLUMN access_decisions.kind IS 'D7 member, invitation, role, key, share, source or connection';
