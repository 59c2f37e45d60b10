-- An archive that a legal hold keeps, and that holds somebody who was erased since: nobody is given it, and it goes with the hold.
ALTER TABLE organisation_archives ADD COLUMN erased_at timestamptz;
COMMENT ON COLUMN organisation_archives.erased_at IS 'D7 when somebody who may be in it was erased, while a legal hold kept it; it goes when that is released';

-- An export lies sealed from its first byte, under a key of its own. One that was begun before lies as it is, for the days that are left to it.
ALTER TABLE exports ADD COLUMN key_sealed bytea;
COMMENT ON COLUMN exports.key_sealed IS 'D8 key of the file, sealed for the organisation; null: the file was begun before files were sealed';
GRANT USAGE ON SEQUENCE exports_id_seq TO fairlead_app;
