-- Whether the link of an invitation went to the address decides nothing any more: a mailed link can be forwarded, so an
-- account that is made by one is unverified until its mailbox confirms it.
ALTER TABLE invitations DROP COLUMN is_mailed;
