-- Each delivery is written three times, and each time into every index: two of them are needed no more. What was counted by
-- time has sums (v5-01), and a delivery is never looked for but as one of its organisation.
DROP INDEX relay_deliveries_by_time;
ALTER TABLE relay_deliveries DROP CONSTRAINT relay_deliveries_pkey;
ALTER TABLE relay_deliveries DROP CONSTRAINT relay_deliveries_organisation_id_id_key;
ALTER TABLE relay_deliveries ADD PRIMARY KEY (organisation_id, id);

-- A conversion is written once more when its last delivery ends: with room in its page no index has to hear of it, which is half
-- of what that takes.
ALTER TABLE relay_conversions SET (fillfactor = 60);
