-- A version that was published by mistake is taken back: a thing of its own, so that the version itself never changes
-- and nobody can undo it silently.
CREATE TABLE legal_withdrawals (
  number bigint PRIMARY KEY REFERENCES legal_documents (number),
  reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 300),
  withdrawn_at timestamptz NOT NULL,
  withdrawn_by bigint REFERENCES people ON DELETE SET NULL
);
COMMENT ON COLUMN legal_withdrawals.number IS 'D7 which version of which document';
COMMENT ON COLUMN legal_withdrawals.reason IS 'D7 why, open to everybody';
COMMENT ON COLUMN legal_withdrawals.withdrawn_at IS 'D7 when it stopped to hold';
COMMENT ON COLUMN legal_withdrawals.withdrawn_by IS 'D7 who took it back';
GRANT SELECT, INSERT ON legal_withdrawals TO fairlead_app;

-- What was withdrawn holds no more and counts for nothing: neither as the version to accept, nor as the last material
-- one, nor as one that was accepted.
CREATE OR REPLACE FUNCTION documents_due(person bigint) RETURNS TABLE (kind text, version text, dated date) LANGUAGE sql STABLE
  BEGIN ATOMIC
    WITH standing AS (
      SELECT d.* FROM legal_documents d WHERE NOT EXISTS (SELECT FROM legal_withdrawals w WHERE w.number = d.number)
    )
    SELECT d.kind, d.version, d.dated FROM standing d
    WHERE NOT EXISTS (SELECT FROM standing later WHERE later.kind = d.kind AND later.number > d.number)
      AND NOT EXISTS (
        SELECT FROM acceptances a
        JOIN standing known ON known.kind = a.kind AND known.version = a.version
        WHERE a.person_id = person AND a.kind = d.kind
          AND known.number >= coalesce((SELECT max(m.number) FROM standing m WHERE m.kind = d.kind AND m.material), 0)
      );
  END;
