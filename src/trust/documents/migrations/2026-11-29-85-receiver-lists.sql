-- The public list of those who receive something of this desk: one row for each version that was announced. Of the
-- installation; who was told of it stands in document_receipts of each organisation.
CREATE TABLE receiver_lists (
  version integer PRIMARY KEY CHECK (version > 0),
  receivers jsonb NOT NULL CHECK (pg_column_size(receivers) <= 65536),
  effective_on date NOT NULL,
  has_addition boolean NOT NULL,
  published_at timestamptz NOT NULL,
  published_by bigint NOT NULL
);
COMMENT ON COLUMN receiver_lists.version IS 'D16 number of the version';
COMMENT ON COLUMN receiver_lists.receivers IS 'D16 who receives what, where, on what basis; public';
COMMENT ON COLUMN receiver_lists.effective_on IS 'D16 from which day on it holds';
COMMENT ON COLUMN receiver_lists.has_addition IS 'D16 whether somebody is new in it';
COMMENT ON COLUMN receiver_lists.published_at IS 'D16 when it was announced';
COMMENT ON COLUMN receiver_lists.published_by IS 'D16 number of who announced it';
GRANT SELECT, INSERT ON receiver_lists TO fairlead_app;
