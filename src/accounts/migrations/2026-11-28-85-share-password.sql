-- A page of a share can be given a password later, and can lose it: then it is of the other kind. Its link stays.
GRANT UPDATE (kind) ON shares TO fairlead_app;
COMMENT ON COLUMN shares.kind IS 'D7 public, password or widget; a page moves between the first two with its password';
