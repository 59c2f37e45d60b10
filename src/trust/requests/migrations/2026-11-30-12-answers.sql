-- That the answer went into the outbox, in the same transaction that closed the request: one letter for each outcome.
ALTER TABLE subject_requests ADD COLUMN letter_at timestamptz;
COMMENT ON COLUMN subject_requests.letter_at IS 'D24 when the letter with the outcome was put into the outbox; null where they were told in another way';
GRANT UPDATE (letter_at) ON subject_requests TO fairlead_app;
