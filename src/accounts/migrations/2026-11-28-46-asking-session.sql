-- A changed address ends every session but the one that asked for it, whichever browser the link is opened in (AUT-09).
ALTER TABLE one_time_tokens ADD COLUMN session uuid;
COMMENT ON COLUMN one_time_tokens.session IS 'D8 the session that asked for another address, which stays when the others end';
