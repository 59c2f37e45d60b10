-- Who asks for somebody else as their authorised agent (California, § 7063 of the regulations). The mailbox that is shown is the person's own.
ALTER TABLE request_asks ADD COLUMN agent_sealed bytea;
COMMENT ON COLUMN request_asks.agent_sealed IS 'D4 who asks for somebody else, sealed; a day at most';
ALTER TABLE subject_requests ADD COLUMN agent_sealed bytea;
COMMENT ON COLUMN subject_requests.agent_sealed IS 'D4 who asks for somebody else, sealed; gone once the request is closed';
ALTER TABLE subject_requests ADD CONSTRAINT subject_requests_agent_goes CHECK (closed_at IS NULL OR agent_sealed IS NULL);
ALTER TABLE subject_requests DROP CONSTRAINT subject_requests_identity_check_check;
ALTER TABLE subject_requests ADD CONSTRAINT subject_requests_identity_check_check
  CHECK (identity_check IN ('mailbox', 'called-back', 'signed-in', 'document-seen', 'other-system', 'permission-seen'));
GRANT UPDATE (agent_sealed) ON subject_requests TO fairlead_app;
