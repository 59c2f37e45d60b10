-- What who runs the desk has stated of a receiver: one row for each version, the last one holds. Of the installation.
CREATE TABLE receiver_statements (
  receiver text NOT NULL CHECK (length(receiver) BETWEEN 1 AND 20),
  version integer NOT NULL CHECK (version > 0),
  host text NOT NULL CHECK (length(host) BETWEEN 1 AND 253),
  legal_name text NOT NULL CHECK (length(legal_name) BETWEEN 1 AND 120),
  country text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
  basis text CHECK (basis IN ('not_needed', 'adequacy', 'clauses')),
  contract text CHECK (length(contract) BETWEEN 1 AND 200),
  contract_on date,
  policy_url text CHECK (length(policy_url) <= 500),
  terms_url text CHECK (length(terms_url) <= 500),
  checked_on date,
  stated_at timestamptz NOT NULL,
  PRIMARY KEY (receiver, version)
);
COMMENT ON COLUMN receiver_statements.receiver IS 'D16 which receiver of the register this is about, a word of the code';
COMMENT ON COLUMN receiver_statements.version IS 'D16 number of the statement about this receiver';
COMMENT ON COLUMN receiver_statements.host IS 'D16 the host it was made for; another host has to be stated anew';
COMMENT ON COLUMN receiver_statements.legal_name IS 'D16 name of the company that receives';
COMMENT ON COLUMN receiver_statements.country IS 'D16 where it processes, two letters';
COMMENT ON COLUMN receiver_statements.basis IS 'D16 what a transfer there rests on; null = none was stated';
COMMENT ON COLUMN receiver_statements.contract IS 'D16 where the processing contract is found';
COMMENT ON COLUMN receiver_statements.contract_on IS 'D16 day of the processing contract';
COMMENT ON COLUMN receiver_statements.policy_url IS 'D16 privacy policy of the receiver';
COMMENT ON COLUMN receiver_statements.terms_url IS 'D16 terms of the receiver';
COMMENT ON COLUMN receiver_statements.checked_on IS 'D16 when policy and terms were last read';
COMMENT ON COLUMN receiver_statements.stated_at IS 'D16 when this was stated; who did stands in the audit log';
GRANT SELECT, INSERT ON receiver_statements TO fairlead_app;
