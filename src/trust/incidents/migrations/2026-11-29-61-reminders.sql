-- How many of the three reminders of the clock were told: after 24 hours, after 60, and when it is over.
ALTER TABLE incidents ADD COLUMN reminded smallint NOT NULL DEFAULT 0 CHECK (reminded BETWEEN 0 AND 3);
COMMENT ON COLUMN incidents.reminded IS 'D7 how many reminders of its clock were told';
GRANT UPDATE (reminded) ON incidents TO fairlead_app;
