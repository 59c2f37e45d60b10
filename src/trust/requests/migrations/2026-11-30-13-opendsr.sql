-- Requests that another system of the organisation hands in (OpenDSR), under the number that it gave them.
ALTER TABLE subject_requests ADD COLUMN opendsr_id uuid;
COMMENT ON COLUMN subject_requests.opendsr_id IS 'D24 number that the system gave it which handed it in; null where it came in another way';
CREATE UNIQUE INDEX subject_requests_opendsr ON subject_requests (organisation_id, opendsr_id) WHERE opendsr_id IS NOT NULL;
ALTER TABLE subject_requests DROP CONSTRAINT subject_requests_identity_check_check;
ALTER TABLE subject_requests ADD CONSTRAINT subject_requests_identity_check_check
  CHECK (identity_check IN ('mailbox', 'called-back', 'signed-in', 'document-seen', 'other-system'));
GRANT UPDATE (opendsr_id) ON subject_requests TO fairlead_app;
