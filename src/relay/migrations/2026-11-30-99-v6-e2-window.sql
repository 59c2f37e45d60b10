-- The same words may be several conversions, hours apart, and when a telling came says which of them it is. Each keeps its row; the
-- newest took the place of those before it, and what came out of order found none. Only the loader writes here, one transaction of
-- an organisation at a time, so of an order or an id there is one row as before.
ALTER TABLE relay_identities DROP CONSTRAINT relay_identities_pkey, ADD PRIMARY KEY (organisation_id, identity, conversion_id);
