import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { openSendingHouse, root, type SendingHouse } from '../../../test/relay/sending_house.ts';
import { systemClock } from '../../platform/clock.ts';
import { systemRandom, timedUuidOf } from '../../platform/random.ts';
import { ringOf } from '../../trust/keys/index.ts';
import { captureText, openCaptureKeeper } from '../intake/captures.ts';
import { loadSegment } from '../intake/loader.ts';
import { keySubject, makeRecord, recordLine } from '../intake/record.ts';

/** What somebody had deleted does not come back out of the spool, nor out of what is to be kept of requests. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
let house: SendingHouse;
let source: number;
const keys = ringOf(root);
const second = 1_000;
/** When everything was deleted. */
const askedAt = systemClock.now() - 60 * second;
const before = askedAt - second;
const after = askedAt + second;

beforeAll(async () => {
  house = await openSendingHouse({ clock: systemClock, baseUrls: {} });
  ({ source } = await house.addShop([['meta-capi', { dataset_id: '1' }]]));
});
afterAll(() => house.close());
beforeEach(() =>
  house.inside(async (sql) => {
    for (const table of ['relay_conversions', 'relay_captures', 'relay_deletions'])
      await sql.run(`DELETE FROM ${table} WHERE organisation_id = current_organisation()`);
    await sql.run('UPDATE legal_holds SET released_at = now(), released_by = 1 WHERE released_at IS NULL');
  }),
);

const log = { warn: (event: string) => void house.lines.push(event), error: () => {} };
const load = (bytes: Buffer) => loadSegment({ postgres: house.store.postgres, vault: house.vault, keys, log }, bytes);

async function lines(all: readonly { order: string; at: number; site?: number }[]): Promise<Buffer> {
  const freshKeys = await house.vault.fresh(house.organisation);
  const sealing = {
    ...{ keys, vault: house.vault, random: systemRandom },
    ...{ countryOf: () => 'US', regionOf: () => 'us' as const },
  };
  const made = all.map(({ order, at, site = null }) => {
    const record = makeRecord(
      {
        ...{ event_name: 'purchase', occurred_at: new Date(at).toISOString(), order_id: order },
        ...{ user: { email: `${order}@shop.example` } },
      },
      {
        ...{ id: source, organisationId: house.organisation, siteId: site, kind: 'http' },
        ...{ kinds: ['meta-capi'], doublesMinutes: 10, rawDays: 7, mappingVersion: 0 },
      },
      { request: '0190a000-0000-7000-8000-000000000001', at, freshKeys },
      sealing,
    );
    if (record === undefined) throw new Error('A key was at hand.');
    return recordLine(record);
  });
  freshKeys.close();
  return Buffer.from(`${made.join('\n')}\n`);
}

async function unmapped(at: number): Promise<Buffer> {
  const { id, key, sealed } = await captured(at);
  const record = {
    ...{
      kind: 'unmapped',
      organisation: house.organisation,
      source,
      id,
      at,
      mapping: 0,
      sealed: sealed.toString('base64'),
    },
    key: [key.id, key.subject, key.wrappedBy, key.wrapped].map((one) => one.toString('base64')),
  };
  return Buffer.from(`${JSON.stringify(record)}\n`);
}

async function captured(at: number) {
  const id = timedUuidOf(systemRandom, at);
  const freshKeys = await house.vault.fresh(house.organisation);
  const made = freshKeys.make(keySubject(id));
  freshKeys.close();
  if (made === undefined) throw new Error('A key was at hand.');
  const text = captureText({ method: 'POST', url: '/', headers: {}, body: '{"email":"somebody@shop.example"}' });
  const sealed = made.seal({ table: 'relay_captures', column: 'request_sealed', row: id, class: 'D5' }, text);
  return { organisationId: house.organisation, sourceId: source, id, at, key: made.key, sealed };
}

/** @returns its number */
async function deleteEverything(): Promise<number> {
  const { id } = await house.inside((sql) =>
    sql.one<{ id: number }>(
      `INSERT INTO relay_deletions (organisation_id, what, filter, asked_at, asked_by_kind, asked_by)
       VALUES (current_organisation(), 'everything', '{}', $1, 'person', 1) RETURNING id`,
      [new Date(askedAt)],
    ),
  );
  return id;
}
const hold = (scope: 'everything' | 'site', site: number | null) =>
  house.inside((sql) =>
    sql.run(
      `INSERT INTO legal_holds (organisation_id, scope, site_id, called, reason, owner, review_on, placed_by, placed_at)
       VALUES (current_organisation(), $1, $2, 'what is held', 'a suit', 'counsel', current_date + 30, 1, now())`,
      [scope, site],
    ),
  );
const stored = async () =>
  (
    await house.inside((sql) => sql.query<{ order_id: string }>('SELECT order_id FROM relay_conversions ORDER BY 1'))
  ).map((row) => row.order_id);
const captures = async () =>
  (await house.inside((sql) => sql.one<{ n: number }>('SELECT count(*)::int AS n FROM relay_captures'))).n;
const dropped = async (deletion: number) =>
  (
    await house.inside((sql) =>
      sql.one<{ on_the_way: number }>('SELECT on_the_way FROM relay_deletions WHERE id = $1', [deletion]),
    )
  ).on_the_way;
const livingKeys = async () =>
  (
    await house.store.postgres.vault(house.organisation, (sql) =>
      sql.one<{ n: number }>('SELECT count(*)::int AS n FROM vault.subject_keys WHERE NOT is_current'),
    )
  ).n;

it('drops what came before, with its key, and counts it; what came later is stored', async () => {
  const keysBefore = await livingKeys();
  const bytes = await lines([
    { order: 'b-1', at: before },
    { order: 'b-2', at: askedAt },
    { order: 'l-1', at: after },
  ]);
  const deletion = await deleteEverything();
  await load(bytes);
  await load(await unmapped(before));
  await load(await unmapped(after));
  expect(await stored()).toEqual(['l-1']);
  expect(await captures()).toBe(1);
  expect(await dropped(deletion)).toBe(3);
  // Of what was stored: a conversion and a request.
  expect(await livingKeys()).toBe(keysBefore + 2);
});

it('does not bring back what was stored and then deleted, where its segment comes a second time', async () => {
  const bytes = await lines([{ order: 'again', at: before }]);
  await load(bytes);
  expect(await stored()).toEqual(['again']);
  await deleteEverything();
  await house.inside((sql) => sql.run('DELETE FROM relay_conversions WHERE organisation_id = current_organisation()'));
  await load(bytes);
  expect(await stored()).toEqual([]);
});

it('stores what a legal hold keeps: of a site, or of everything', async () => {
  const deletion = await deleteEverything();
  await hold('site', 7);
  await load(
    await lines([
      { order: 'h-1', at: before, site: 7 },
      { order: 'f-1', at: before, site: 8 },
      { order: 'f-2', at: before },
    ]),
  );
  expect([await stored(), await dropped(deletion)]).toEqual([['h-1'], 2]);
  await hold('everything', null);
  await load(await lines([{ order: 'h-2', at: before }]));
  await load(await unmapped(before));
  expect([await stored(), await captures(), await dropped(deletion)]).toEqual([['h-1', 'h-2'], 1, 2]);
});

it('keeps no request of before, and its key is gone', async () => {
  const keeper = openCaptureKeeper({
    ...{ postgres: house.store.postgres, vault: house.vault, clock: systemClock },
    log: { ...log, info: () => {} } as never,
  });
  const keysBefore = await livingKeys();
  keeper.keep(await captured(before));
  keeper.keep(await captured(after));
  await deleteEverything();
  await keeper.flush();
  expect(await captures()).toBe(1);
  expect(await livingKeys()).toBe(keysBefore + 1);
  await hold('everything', null);
  keeper.keep(await captured(before));
  await keeper.stop();
  expect(await captures()).toBe(2);
});
