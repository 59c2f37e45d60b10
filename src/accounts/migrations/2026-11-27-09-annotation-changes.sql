-- What is written onto a chart can be corrected: its words and its day, nothing else of it.
GRANT UPDATE (day, note) ON annotations TO fairlead_app;
