-- Who did what, as a chain per organisation: each entry's hash takes in the one before it, so nothing can be changed,
-- taken out, moved or added in the middle without every later hash being wrong (AUD-02).
--
-- What a person would call somebody or something is sealed, and the chain takes in digests, never the text itself: so
-- a person's key can be destroyed (R10) and an address dropped (R3), and the chain still verifies.
-- Rows are written through one function that belongs to a role which nobody can become. The app may read the rows of the
-- organisation in force, and neither it nor any role that it can reach may change or remove one (AUT-17).
-- Organisations are numbers without a reference: what was done to one that is gone stays until its two years are over.
-- Number 0 is the desk's own chain, for what belongs to no organisation.

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fairlead_chain') THEN
    CREATE ROLE fairlead_chain NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
  END IF;
END $$;
GRANT fairlead_chain TO CURRENT_USER WITH INHERIT FALSE, SET TRUE;

CREATE TABLE audit.chains (
  organisation_id bigint PRIMARY KEY CHECK (organisation_id >= 0),
  seq bigint NOT NULL DEFAULT 0 CHECK (seq >= base_seq),
  hash bytea NOT NULL CHECK (length(hash) = 32),
  base_seq bigint NOT NULL DEFAULT 0 CHECK (base_seq >= 0),
  base_hash bytea NOT NULL CHECK (length(base_hash) = 32)
);
COMMENT ON COLUMN audit.chains.organisation_id IS 'D17 whose chain; 0 is the desk';
COMMENT ON COLUMN audit.chains.seq IS 'D17 number of the newest entry';
COMMENT ON COLUMN audit.chains.hash IS 'D17 hash of the newest entry';
COMMENT ON COLUMN audit.chains.base_seq IS 'D17 number of the last entry that was removed by age; 0 for none';
COMMENT ON COLUMN audit.chains.base_hash IS 'D17 its hash, which a signed checkpoint holds too; zeros for none';

CREATE TABLE audit.entries (
  organisation_id bigint NOT NULL,
  seq bigint NOT NULL,
  entry uuid NOT NULL,
  at timestamptz NOT NULL,
  action text NOT NULL,
  class text NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('done', 'refused', 'failed')),
  reason text,
  actor_type text NOT NULL CHECK (actor_type IN ('person', 'key', 'operator', 'system', 'visitor')),
  actor text,
  actor_name bytea,
  actor_commitment bytea,
  targets jsonb NOT NULL,
  details bytea,
  details_commitment bytea,
  request_id text,
  address text,
  address_salt bytea,
  address_commitment bytea,
  hash bytea NOT NULL,
  PRIMARY KEY (organisation_id, seq)
);
CREATE INDEX entries_at ON audit.entries (organisation_id, at);
COMMENT ON COLUMN audit.entries.organisation_id IS 'D17 whose chain; 0 is the desk';
COMMENT ON COLUMN audit.entries.seq IS 'D17 number in the chain, from 1 without gaps';
COMMENT ON COLUMN audit.entries.entry IS 'D17 random name of the entry, which its sealed parts are bound to';
COMMENT ON COLUMN audit.entries.at IS 'D17 when';
COMMENT ON COLUMN audit.entries.action IS 'D17 what was done, a name of the registry';
COMMENT ON COLUMN audit.entries.class IS 'D17 data class of what it was done to';
COMMENT ON COLUMN audit.entries.outcome IS 'D17 done, refused or failed';
COMMENT ON COLUMN audit.entries.reason IS 'D17 why not, one word of a closed list';
COMMENT ON COLUMN audit.entries.actor_type IS 'D17 person, key, operator, system or visitor';
COMMENT ON COLUMN audit.entries.actor IS 'D17 keyed pseudonym of a person, or number of a key';
COMMENT ON COLUMN audit.entries.actor_name IS 'D17 what the actor was called, sealed under the key of that person';
COMMENT ON COLUMN audit.entries.actor_commitment IS 'D17 salted digest of that name; its salt is sealed with it';
COMMENT ON COLUMN audit.entries.targets IS 'D17 kinds and numbers of what it was done to; people are keyed pseudonyms';
COMMENT ON COLUMN audit.entries.details IS 'D17 labels and what changed, sealed; under the key of the person they are about';
COMMENT ON COLUMN audit.entries.details_commitment IS 'D17 salted digest of them; its salt is sealed with them';
COMMENT ON COLUMN audit.entries.request_id IS 'D17 number of the request, as its answer carried it';
COMMENT ON COLUMN audit.entries.address IS 'D17 network of the caller, /24 or /48, dropped after 90 days (R3)';
COMMENT ON COLUMN audit.entries.address_salt IS 'D17 what the digest of the network is salted with; dropped with it';
COMMENT ON COLUMN audit.entries.address_commitment IS 'D17 salted digest of the network';
COMMENT ON COLUMN audit.entries.hash IS 'D17 SHA-256 of the hash before it, its number and the digest of everything above';

ALTER TABLE audit.chains ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE audit.entries ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
-- The desk's own chain is read by whoever names no organisation and no person: work of the desk itself.
CREATE POLICY tenant ON audit.chains FOR SELECT TO fairlead_app
  USING (organisation_id = current_organisation()
    OR organisation_id = 0 AND current_organisation() IS NULL AND current_person() IS NULL);
CREATE POLICY tenant ON audit.entries FOR SELECT TO fairlead_app
  USING (organisation_id = current_organisation()
    OR organisation_id = 0 AND current_organisation() IS NULL AND current_person() IS NULL);
CREATE POLICY chain ON audit.chains TO fairlead_chain USING (true);
CREATE POLICY chain ON audit.entries TO fairlead_chain USING (true);
CREATE POLICY purge ON audit.chains TO fairlead_purge USING (true);
CREATE POLICY purge ON audit.entries TO fairlead_purge USING (true);

-- The audit role was made to insert by itself; entries come through the function below and no other way.
REVOKE ALL ON audit.chains, audit.entries FROM fairlead_audit;
GRANT USAGE ON SCHEMA audit TO fairlead_app, fairlead_chain, fairlead_purge;
GRANT SELECT ON audit.chains, audit.entries TO fairlead_app;
GRANT SELECT, INSERT, UPDATE ON audit.chains TO fairlead_chain;
GRANT INSERT ON audit.entries TO fairlead_chain;
GRANT USAGE ON SCHEMA public TO fairlead_chain;
GRANT SELECT (organisation_id, person_id) ON memberships TO fairlead_chain, fairlead_lookup;
CREATE POLICY chain ON memberships FOR SELECT TO fairlead_chain USING (true);
CREATE POLICY lookup ON memberships FOR SELECT TO fairlead_lookup USING (true);

-- Whose trails an act of a person goes into.
SET LOCAL ROLE fairlead_lookup;
CREATE FUNCTION lookup.organisations_of_person(wanted bigint) RETURNS TABLE (organisation_id bigint)
  LANGUAGE sql STABLE SECURITY DEFINER
  BEGIN ATOMIC
    SELECT m.organisation_id FROM public.memberships m WHERE m.person_id = wanted ORDER BY m.organisation_id;
  END;
RESET ROLE;

GRANT CREATE ON SCHEMA audit TO fairlead_chain;
SET LOCAL ROLE fairlead_chain;
-- The one way in. Takes a JSON list of entries, each with its chain and the digest of its canonical text, and numbers and
-- chains them in the caller's transaction. A chain's row is held until that transaction ends, chains in rising order, so
-- that two acts on the same ones take turns and never wait for each other crosswise.
-- An organisation's trail takes acts of that organisation, or of a person who belongs to it.
CREATE FUNCTION audit.append(of_person bigint, acts text) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
  act record;
  chain record;
  present bigint;
  written bigint := 0;
BEGIN
  FOR present IN SELECT DISTINCT x.organisation_id FROM json_to_recordset(acts::json) AS x(organisation_id bigint) ORDER BY 1 LOOP
    IF present <> 0 AND present IS DISTINCT FROM public.current_organisation()
      AND NOT EXISTS (SELECT FROM public.memberships m WHERE m.organisation_id = present AND m.person_id = of_person) THEN
      RAISE EXCEPTION 'An act was to be written into the trail of an organisation that is not in force.' USING ERRCODE = '42501';
    END IF;
    SELECT c.seq, c.hash INTO chain FROM audit.chains c WHERE c.organisation_id = present FOR UPDATE;
    IF NOT FOUND THEN
      INSERT INTO audit.chains (organisation_id, hash, base_hash)
        VALUES (present, decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
      SELECT c.seq, c.hash INTO STRICT chain FROM audit.chains c WHERE c.organisation_id = present FOR UPDATE;
    END IF;
    FOR act IN
      SELECT * FROM json_to_recordset(acts::json) AS x(organisation_id bigint, digest bytea, entry uuid, at timestamptz,
        action text, class text, outcome text, reason text, actor_type text, actor text, actor_name bytea,
        actor_commitment bytea, targets jsonb, details bytea, details_commitment bytea, request_id text, address text,
        address_salt bytea, address_commitment bytea)
      WHERE x.organisation_id = present
    LOOP
      chain.seq := chain.seq + 1;
      chain.hash := sha256(chain.hash || int8send(chain.seq) || act.digest);
      INSERT INTO audit.entries VALUES (present, chain.seq, act.entry, act.at, act.action, act.class, act.outcome,
        act.reason, act.actor_type, act.actor, act.actor_name, act.actor_commitment, act.targets, act.details,
        act.details_commitment, act.request_id, act.address, act.address_salt, act.address_commitment, chain.hash);
      written := written + 1;
    END LOOP;
    UPDATE audit.chains c SET seq = chain.seq, hash = chain.hash WHERE c.organisation_id = present;
  END LOOP;
  RETURN written;
END $$;
-- Where every chain stands: what a checkpoint signs.
CREATE FUNCTION audit.every_head() RETURNS TABLE (organisation_id bigint, seq bigint, hash bytea)
  LANGUAGE sql STABLE SECURITY DEFINER
  BEGIN ATOMIC SELECT c.organisation_id, c.seq, c.hash FROM audit.chains c ORDER BY 1; END;
REVOKE EXECUTE ON FUNCTION audit.append(bigint, text), audit.every_head() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.append(bigint, text) TO fairlead_app;
GRANT EXECUTE ON FUNCTION audit.every_head() TO fairlead_audit;
RESET ROLE;
REVOKE CREATE ON SCHEMA audit FROM fairlead_chain;

-- The window of the trail. Addresses go after 90 days and entries after two years, by the database's own clock whatever
-- moment the caller names; entries only as a beginning of the chain, and only up to an entry whose hash the caller holds
-- in a signed checkpoint.
GRANT SELECT, UPDATE (base_seq, base_hash) ON audit.chains TO fairlead_purge;
GRANT SELECT (organisation_id, seq, at, hash, address), UPDATE (address, address_salt), DELETE ON audit.entries TO fairlead_purge;
SET LOCAL ROLE fairlead_purge;
CREATE FUNCTION retention.drop_audit_addresses(moment timestamptz) RETURNS bigint
  LANGUAGE sql VOLATILE SECURITY DEFINER
  BEGIN ATOMIC
    WITH gone AS (
      UPDATE audit.entries e SET address = NULL, address_salt = NULL
      WHERE e.at < least(moment, now() - interval '90 days') AND e.address IS NOT NULL
      RETURNING e.seq
    )
    SELECT count(*) FROM gone;
  END;
CREATE FUNCTION retention.delete_audit_entries(chain bigint, through bigint, signed_hash bytea, moment timestamptz)
  RETURNS bigint LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
  gone bigint;
BEGIN
  PERFORM FROM audit.entries e WHERE e.organisation_id = chain AND e.seq = through AND e.hash = signed_hash;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'No entry of this chain has this number and this hash: nothing was removed.' USING ERRCODE = '42501';
  END IF;
  PERFORM FROM audit.entries e WHERE e.organisation_id = chain AND e.seq <= through AND e.at >= least(moment, now() - interval '2 years');
  IF FOUND THEN
    RAISE EXCEPTION 'Entries that are younger than their window were to be removed: nothing was.' USING ERRCODE = '42501';
  END IF;
  UPDATE audit.chains c SET base_seq = through, base_hash = signed_hash WHERE c.organisation_id = chain;
  DELETE FROM audit.entries e WHERE e.organisation_id = chain AND e.seq <= through;
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $$;
RESET ROLE;
