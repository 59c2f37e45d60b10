import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openSendingHouse, type SendingHouse } from '../../../test/relay/sending_house.ts';
import { onOrganisationRemoved, removeWhatIsClosed } from '../../accounts/index.ts';
import { systemClock } from '../../platform/clock.ts';
import { systemRandom } from '../../platform/random.ts';
import { openAudit } from '../../trust/audit/index.ts';
import { removeAllConversions } from './ending.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
let house: SendingHouse;

beforeAll(async () => {
  house = await openSendingHouse({ clock: systemClock, baseUrls: {} });
});
afterAll(() => house.close());

const counts = () =>
  house.inside((sql) =>
    sql.one<Record<string, number>>(
      `SELECT (SELECT count(*)::int FROM relay_conversions) AS conversions, (SELECT count(*)::int FROM relay_tellings) AS tellings,
         (SELECT count(*)::int FROM relay_deliveries) AS deliveries`,
    ),
  );

it('removes conversions of a closed organisation a thousand at a time, and none of one that is open', async () => {
  const { organisation, vault } = house;
  const { postgres } = house.store;
  const rows = 2_500;
  await house.inside((sql) =>
    sql.run(
      `WITH made AS (
         INSERT INTO relay_conversions (organisation_id, id, source_id, event_name, occurred_at, received_at, facts, present, consent,
           region, mapping_version, raw_days)
         SELECT $1, gen_random_uuid(), 1, 'purchase', now(), now(), '{}', '{}', '{}', 'other', 1, 7 FROM generate_series(1, $2) RETURNING id
       ), told AS (
         INSERT INTO relay_tellings (organisation_id, id, conversion_id, source_id, request_id, received_at, present)
         SELECT $1, id, id, 1, id, now(), '{}' FROM made)
       INSERT INTO relay_deliveries (organisation_id, conversion_id, route_id, destination_id, platform_id, state, next_at, created_at)
       SELECT $1, id, 1, 1, 'x', 'waiting', now(), now() FROM made`,
      [organisation, rows],
    ),
  );
  // Stands for the time that a statement has.
  await house.store.asOwner((sql) =>
    sql.run(
      `CREATE FUNCTION too_many() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         IF (SELECT count(*) FROM gone) > 1000 THEN RAISE EXCEPTION 'too many for one statement'; END IF;
         RETURN NULL;
       END $$;
       CREATE TRIGGER too_many AFTER DELETE ON relay_conversions REFERENCING OLD TABLE AS gone
         FOR EACH STATEMENT EXECUTE FUNCTION too_many()`,
    ),
  );
  expect(await removeAllConversions({ postgres }, organisation)).toBe(0);
  expect(await counts()).toEqual({ conversions: rows, tellings: rows, deliveries: rows });

  await house.inside((sql) =>
    sql.run("UPDATE organisations SET status = 'closed', status_since = now() WHERE id = $1", [organisation]),
  );
  const audit = openAudit({ vault, clock: systemClock, random: systemRandom });
  const parts = { postgres, vault, audit, clock: systemClock, log: house.senders.log };
  await expect(removeWhatIsClosed(parts)).rejects.toThrow('too many for one statement');
  const stop = onOrganisationRemoved((id) => removeAllConversions({ postgres }, id));
  try {
    expect(await removeWhatIsClosed(parts)).toBe(1);
  } finally {
    stop();
  }
  expect(await counts()).toEqual({ conversions: 0, tellings: 0, deliveries: 0 });
});
