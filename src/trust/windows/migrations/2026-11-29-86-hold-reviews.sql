-- Whether the day of review of a hold was told to whom it concerns: for which day, so that another day is told anew.
ALTER TABLE legal_holds ADD COLUMN review_told_for date;
COMMENT ON COLUMN legal_holds.review_told_for IS 'D7 the day of review that was told of';
GRANT UPDATE (review_told_for) ON legal_holds TO fairlead_app;
