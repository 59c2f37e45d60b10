-- The daily look becomes one of the runs of the live checks (OPS-03): by day the quick ones, by week and when asked all.
-- Each run is signed, and names the signature of the one before it, so that none is changed or taken out unseen.
ALTER TABLE self_audits
  ADD COLUMN kind text NOT NULL DEFAULT 'daily' CHECK (kind IN ('daily', 'weekly', 'asked')),
  ADD COLUMN previous text,
  ADD COLUMN signature text;
COMMENT ON COLUMN self_audits.kind IS 'D16 daily, weekly, or asked for by somebody';
COMMENT ON COLUMN self_audits.previous IS 'D16 signature of the run before; null for the first that was signed';
COMMENT ON COLUMN self_audits.signature IS 'D16 Ed25519 by the key that signs the audit log; null for runs of before there were any';
