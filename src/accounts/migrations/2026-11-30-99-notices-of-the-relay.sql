-- People are told of what is not as usual in the relay; what they choose for it is a kind of its own.
ALTER TABLE notifications DROP CONSTRAINT notifications_kind_check;
ALTER TABLE notifications ADD CONSTRAINT notifications_kind_check
  CHECK (kind IN ('security', 'documents', 'organisation', 'mail', 'exports', 'imports', 'relay')) NOT VALID;
ALTER TABLE notification_choices DROP CONSTRAINT notification_choices_kind_check;
ALTER TABLE notification_choices ADD CONSTRAINT notification_choices_kind_check
  CHECK (kind IN ('security', 'documents', 'organisation', 'mail', 'exports', 'imports', 'relay')) NOT VALID;
