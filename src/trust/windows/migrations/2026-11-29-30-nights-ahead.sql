-- Nights of a clock that was ahead go when it has been set right: the days until then would have had none.
GRANT DELETE ON retention_nights TO fairlead_app;
