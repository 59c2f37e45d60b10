-- Mail goes with the person it was to, whoever deletes them and however: the outbox and the list of sent mail alike.
-- Checked at the end of a transaction, since some acts write to somebody whom they make; rows of before are not checked.
ALTER TABLE mail.messages ADD CONSTRAINT messages_person_id_fkey
  FOREIGN KEY (person_id) REFERENCES public.people ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED NOT VALID;
-- What was written to an address that is erased, with an account or without one, is deleted by its digest.
GRANT DELETE ON mail.messages TO fairlead_mail;
CREATE INDEX messages_address ON mail.messages (address_digest);
