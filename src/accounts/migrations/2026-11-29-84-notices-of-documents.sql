-- People are told of documents and subprocessors as well.
ALTER TABLE notifications DROP CONSTRAINT notifications_kind_check;
ALTER TABLE notifications ADD CONSTRAINT notifications_kind_check
  CHECK (kind IN ('security', 'documents', 'organisation', 'mail', 'exports', 'imports')) NOT VALID;
ALTER TABLE notification_choices DROP CONSTRAINT notification_choices_kind_check;
ALTER TABLE notification_choices ADD CONSTRAINT notification_choices_kind_check
  CHECK (kind IN ('security', 'documents', 'organisation', 'mail', 'exports', 'imports')) NOT VALID;
