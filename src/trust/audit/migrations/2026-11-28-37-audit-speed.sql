-- What writes the trail, for the speed that it must keep, and the window of the trail in pieces.
--
-- Planning anew for every call was a fifth of what an act cost the database, and taking JSON apart row by row most of what
-- a hundred cost. Plans stay now; one act comes as plain parameters; many are one insert, whose chain is computed before it.

DROP FUNCTION audit.append(bigint, text);

GRANT CREATE ON SCHEMA audit TO fairlead_chain;
SET LOCAL ROLE fairlead_chain;

-- A trail takes acts of the organisation in force, of the desk, or of a person who belongs to the organisation. In this
-- language and not in SQL, so that it is only planned where the first two do not hold.
CREATE FUNCTION audit.admits(of_person bigint, chain bigint) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog
AS $$
BEGIN
  RETURN EXISTS (SELECT FROM public.memberships m WHERE m.organisation_id = chain AND m.person_id = of_person);
END $$;

-- One act. The head of its chain is held until the caller's transaction ends, so that acts of one organisation take turns.
CREATE FUNCTION audit.append_one(of_person bigint, chain bigint, digest bytea, entry uuid, at timestamptz, action text,
    class text, outcome text, reason text, actor_type text, actor text, actor_name bytea, actor_commitment bytea,
    targets jsonb, details bytea, details_commitment bytea, request_id text, address text, address_salt bytea,
    address_commitment bytea) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  number bigint;
  link bytea;
BEGIN
  IF chain <> 0 AND chain IS DISTINCT FROM public.current_organisation() AND NOT audit.admits(of_person, chain) THEN
    RAISE EXCEPTION 'An act was to be written into the trail of an organisation that is not in force.' USING ERRCODE = '42501';
  END IF;
  LOOP
    UPDATE audit.chains c SET seq = c.seq + 1, hash = sha256(c.hash || int8send(c.seq + 1) || digest)
      WHERE c.organisation_id = chain RETURNING c.seq, c.hash INTO number, link;
    EXIT WHEN FOUND;
    INSERT INTO audit.chains (organisation_id, hash, base_hash)
      VALUES (chain, decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
  END LOOP;
  INSERT INTO audit.entries VALUES (chain, number, entry, at, action, class, outcome, reason, actor_type, actor, actor_name,
    actor_commitment, targets, details, details_commitment, request_id, address, address_salt, address_commitment, link);
  RETURN 1;
END $$;

-- Many acts of one chain in their order, as a list of JSON with their digests beside it.
CREATE FUNCTION audit.append(of_person bigint, chain bigint, digests bytea[], acts json) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  many CONSTANT int := cardinality(digests);
  number bigint;
  link bytea;
  links bytea[];
  written bigint;
BEGIN
  IF chain <> 0 AND chain IS DISTINCT FROM public.current_organisation() AND NOT audit.admits(of_person, chain) THEN
    RAISE EXCEPTION 'An act was to be written into the trail of an organisation that is not in force.' USING ERRCODE = '42501';
  END IF;
  LOOP
    SELECT c.seq, c.hash INTO number, link FROM audit.chains c WHERE c.organisation_id = chain FOR NO KEY UPDATE;
    EXIT WHEN FOUND;
    INSERT INTO audit.chains (organisation_id, hash, base_hash)
      VALUES (chain, decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
  END LOOP;
  FOR i IN 1..many LOOP
    link := sha256(link || int8send(number + i) || digests[i]);
    links[i] := link;
  END LOOP;
  INSERT INTO audit.entries
    SELECT chain, number + x.n, x.entry, x.at, x.action, x.class, x.outcome, x.reason, x.actor_type, x.actor, x.actor_name,
      x.actor_commitment, x.targets, x.details, x.details_commitment, x.request_id, x.address, x.address_salt,
      x.address_commitment, links[x.n]
    FROM ROWS FROM (json_to_recordset(acts) AS (entry uuid, at timestamptz, action text, class text, outcome text,
        reason text, actor_type text, actor text, actor_name bytea, actor_commitment bytea, targets jsonb, details bytea,
        details_commitment bytea, request_id text, address text, address_salt bytea, address_commitment bytea))
      WITH ORDINALITY AS x(entry, at, action, class, outcome, reason, actor_type, actor, actor_name, actor_commitment,
        targets, details, details_commitment, request_id, address, address_salt, address_commitment, n);
  GET DIAGNOSTICS written = ROW_COUNT;
  IF written <> many THEN
    RAISE EXCEPTION '% acts were given with % digests.', written, many;
  END IF;
  UPDATE audit.chains c SET seq = number + many, hash = link WHERE c.organisation_id = chain;
  RETURN written;
END $$;
REVOKE EXECUTE ON FUNCTION audit.admits(bigint, bigint), audit.append(bigint, bigint, bytea[], json),
  audit.append_one(bigint, bigint, bytea, uuid, timestamptz, text, text, text, text, text, text, bytea, bytea, jsonb, bytea,
    bytea, text, text, bytea, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.append(bigint, bigint, bytea[], json),
  audit.append_one(bigint, bigint, bytea, uuid, timestamptz, text, text, text, text, text, text, bytea, bytea, jsonb, bytea,
    bytea, text, text, bytea, bytea) TO fairlead_app;
RESET ROLE;
REVOKE CREATE ON SCHEMA audit FROM fairlead_chain;

-- A statement ends after fifteen seconds, so what is too old goes in pieces. The beginning is moved first, in one step
-- and only onto an entry that a signed checkpoint holds; what lies before it is no part of the chain any more, and goes
-- from the lowest number on.
SET LOCAL ROLE fairlead_purge;
DROP FUNCTION retention.drop_audit_addresses(timestamptz);
CREATE FUNCTION retention.drop_audit_addresses(chain bigint, after bigint, through bigint, moment timestamptz) RETURNS bigint
  LANGUAGE sql VOLATILE SECURITY DEFINER
  BEGIN ATOMIC
    WITH gone AS (
      UPDATE audit.entries e SET address = NULL, address_salt = NULL
      WHERE e.organisation_id = chain AND e.seq > after AND e.seq <= through
        AND e.at < least(moment, now() - interval '90 days') AND e.address IS NOT NULL
      RETURNING e.seq
    )
    SELECT count(*) FROM gone;
  END;
DROP FUNCTION retention.delete_audit_entries(bigint, bigint, bytea, timestamptz);
CREATE FUNCTION retention.delete_audit_entries(chain bigint, through bigint, signed_hash bytea, moment timestamptz,
    rows_max bigint) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
  base bigint;
  gone bigint;
BEGIN
  SELECT c.base_seq INTO STRICT base FROM audit.chains c WHERE c.organisation_id = chain;
  IF base < through THEN
    PERFORM FROM audit.entries e WHERE e.organisation_id = chain AND e.seq = through AND e.hash = signed_hash;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'No entry of this chain has this number and this hash: nothing was removed.' USING ERRCODE = '42501';
    END IF;
    PERFORM FROM audit.entries e WHERE e.organisation_id = chain AND e.seq <= through AND e.at >= least(moment, now() - interval '2 years');
    IF FOUND THEN
      RAISE EXCEPTION 'Entries that are younger than their window were to be removed: nothing was.' USING ERRCODE = '42501';
    END IF;
    UPDATE audit.chains c SET base_seq = through, base_hash = signed_hash WHERE c.organisation_id = chain;
    base := through;
  END IF;
  DELETE FROM audit.entries e WHERE e.organisation_id = chain AND e.seq IN (
    SELECT o.seq FROM audit.entries o WHERE o.organisation_id = chain AND o.seq <= base ORDER BY o.seq LIMIT rows_max);
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $$;
RESET ROLE;
