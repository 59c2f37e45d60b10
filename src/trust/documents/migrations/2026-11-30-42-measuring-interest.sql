-- On what basis visits are measured is said by the table of purposes alone (lawful_bases), in documents too. What stands here is the interest
-- that a notice has to name where that basis is legitimate interest.
COMMENT ON COLUMN organisation_identities.measuring_basis IS 'D7 the interest for which visits are measured; public in documents';
